import { CsvError } from './errors.js';
import { readingOptions } from './options.js';
import { RowParser } from './parse.js';

/** The records of a text. */
export function parseCsv(text, options) {
  const parser = new RecordParser(readingOptions(options));
  return [...parser.push(text), ...parser.end()];
}

/** Turns pieces of a text into records. */
export class RecordParser {
  #rows;
  #names = null;

  constructor(options) {
    this.#rows = new RowParser(options);
  }

  *push(text) {
    for (const row of this.#rows.push(text)) yield* this.#take(row);
  }

  *end() {
    for (const row of this.#rows.end()) yield* this.#take(row);
  }

  *#take(row) {
    if (this.#names === null) this.#names = headerNames(row);
    else yield toRecord(this.#names, row);
  }
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

function toRecord(names, { fields, line }) {
  if (fields.length !== names.length) {
    const message = `expected ${names.length} fields, got ${fields.length}`;
    throw new CsvError('COLUMNS', message, line);
  }
  return Object.fromEntries(names.map((name, index) => [name, fields[index]]));
}
