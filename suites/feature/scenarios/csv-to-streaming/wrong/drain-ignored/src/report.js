import { CsvError } from './errors.js';
import { Measure } from './measures.js';
import { readSpec, reportColumns } from './spec.js';
import { streamRecords } from './stream.js';

/** Totals per group, groups in the order in which they first occur. */
export function report(records, spec) {
  const totals = new Totals(spec);
  for (const record of records) totals.add(record);
  return totals.result;
}

/** The same for the records of a source. */
export async function streamReport(source, spec, options) {
  const totals = new Totals(spec);
  for await (const record of streamRecords(source, options)) totals.add(record);
  return totals.result;
}

class Totals {
  #groupBy;
  #measures;
  #groups = new Map();
  #number = 0;

  constructor(spec) {
    const { groupBy, measures } = readSpec(spec);
    this.#groupBy = groupBy;
    this.#measures = measures;
  }

  add(record) {
    this.#number += 1;
    checkColumns(record, this.#groupBy, this.#measures);
    const values = this.#groupBy.map((name) => record[name]);
    const key = JSON.stringify(values);
    let group = this.#groups.get(key);
    if (group === undefined) {
      group = { values, running: this.#measures.map((measure) => new Measure(measure)) };
      this.#groups.set(key, group);
    }
    for (const measure of group.running) measure.add(record, this.#number);
  }

  get result() {
    return {
      columns: reportColumns({ groupBy: this.#groupBy, measures: this.#measures }),
      rows: [...this.#groups.values()].map(({ values, running }) => [
        ...values,
        ...running.map((measure) => measure.value),
      ]),
    };
  }
}

function checkColumns(record, groupBy, measures) {
  for (const name of [...groupBy, ...measures.map(({ column }) => column)]) {
    if (name !== undefined && !Object.hasOwn(record, name)) {
      throw new CsvError('COLUMN', `there is no column '${name}'`);
    }
  }
}
