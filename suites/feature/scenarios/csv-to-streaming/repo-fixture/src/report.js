import { CsvError } from './errors.js';
import { Measure } from './measures.js';
import { readSpec, reportColumns } from './spec.js';

/** Totals per group, groups in the order in which they first occur. */
export function report(records, spec) {
  const { groupBy, measures } = readSpec(spec);
  const groups = new Map();
  let number = 0;
  for (const record of records) {
    number += 1;
    checkColumns(record, groupBy, measures);
    const values = groupBy.map((name) => record[name]);
    const key = JSON.stringify(values);
    if (!groups.has(key)) {
      groups.set(key, { values, running: measures.map((measure) => new Measure(measure)) });
    }
    for (const measure of groups.get(key).running) measure.add(record, number);
  }
  return {
    columns: reportColumns({ groupBy, measures }),
    rows: [...groups.values()].map(({ values, running }) => [
      ...values,
      ...running.map((measure) => measure.value),
    ]),
  };
}

function checkColumns(record, groupBy, measures) {
  for (const name of [...groupBy, ...measures.map(({ column }) => column)]) {
    if (name !== undefined && !Object.hasOwn(record, name)) {
      throw new CsvError('COLUMN', `there is no column '${name}'`);
    }
  }
}
