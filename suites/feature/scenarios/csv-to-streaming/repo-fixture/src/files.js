import { readFile } from 'node:fs/promises';
import { decode } from './decode.js';
import { readingOptions } from './options.js';
import { parseRows } from './parse.js';
import { headerNames, parseCsv } from './records.js';
import { report } from './report.js';

/** The records of a file. */
export async function parseFile(path, options) {
  return parseCsv(decode(await readFile(path)), options);
}

/** The totals of a file. */
export async function reportFile(path, spec, options) {
  return report(await parseFile(path, options), spec);
}

/** The names of the columns of a file, none if it is empty. */
export async function columnsOfFile(path, options) {
  const [header] = parseRows(decode(await readFile(path)), readingOptions(options));
  return header === undefined ? [] : headerNames(header);
}
