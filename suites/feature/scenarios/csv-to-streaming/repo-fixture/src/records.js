import { CsvError } from './errors.js';
import { readingOptions } from './options.js';
import { parseRows } from './parse.js';

/** The records of a text. */
export function parseCsv(text, options) {
  const [header, ...rows] = parseRows(text, readingOptions(options));
  if (header === undefined) return [];
  const names = headerNames(header);
  return rows.map((row) => toRecord(names, row));
}

/** The names in the header row, checked. */
export function headerNames({ fields, line }) {
  const seen = new Set();
  for (const name of fields) {
    if (name === '') throw new CsvError('HEADER', 'a column has no name', line);
    if (seen.has(name)) throw new CsvError('HEADER', `two columns are called '${name}'`, line);
    seen.add(name);
  }
  return fields;
}

/** One row as an object. */
export function toRecord(names, { fields, line }) {
  if (fields.length !== names.length) {
    const message = `expected ${names.length} fields, got ${fields.length}`;
    throw new CsvError('COLUMNS', message, line);
  }
  return Object.fromEntries(names.map((name, index) => [name, fields[index]]));
}
