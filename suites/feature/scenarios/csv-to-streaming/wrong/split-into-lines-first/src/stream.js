import { decoded } from './decode.js';
import { readingOptions } from './options.js';
import { headerNames, RecordParser } from './records.js';
import { RowParser } from './parse.js';

/** The records of a source, each as soon as it is complete. */
export function streamRecords(source, options) {
  return run(source, new RecordParser(readingOptions(options)));
}

/** The names in the header of a source, none if it is empty; reads no further. */
export async function streamColumns(source, options) {
  for await (const row of run(source, new RowParser(readingOptions(options)))) {
    return headerNames(row);
  }
  return [];
}

async function* run(source, parser) {
  for await (const line of linesOf(source)) yield* parser.pushLine(line);
}

async function* linesOf(source) {
  let rest = '';
  for await (const text of decoded(source)) {
    const lines = (rest + text).split('\n');
    rest = lines.pop();
    for (const line of lines) yield line.endsWith('\r') ? line.slice(0, -1) : line;
  }
  if (rest !== '') yield rest;
}
