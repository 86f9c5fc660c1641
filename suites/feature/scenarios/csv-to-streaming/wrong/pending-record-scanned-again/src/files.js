import { createReadStream } from 'node:fs';
import process from 'node:process';
import { streamReport } from './report.js';
import { streamRecords } from './stream.js';

/** The records of a file. */
export async function parseFile(path, options) {
  const records = [];
  for await (const record of streamRecords(createReadStream(path), options)) records.push(record);
  return records;
}

/** The totals of a file, which is read as a stream. */
export async function reportFile(path, spec, options) {
  return streamReport(createReadStream(path), spec, options);
}

/** What a file name on the command line stands for. */
export function sourceOf(name) {
  return name === '-' ? process.stdin : createReadStream(name);
}
