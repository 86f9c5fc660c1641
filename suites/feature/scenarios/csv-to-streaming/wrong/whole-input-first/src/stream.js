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
  const texts = [];
  for await (const text of decoded(source)) texts.push(text);
  yield* parser.push(texts.join(''));
  yield* parser.end();
}
