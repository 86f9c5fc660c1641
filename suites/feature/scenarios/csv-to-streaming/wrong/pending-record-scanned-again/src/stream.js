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
  let rest = '';
  for await (const text of decoded(source)) {
    rest += text;
    const end = endOfLastLine(rest);
    yield* parser.push(rest.slice(0, end));
    rest = rest.slice(end);
  }
  yield* parser.push(rest);
  yield* parser.end();
}

/** The place behind the last line end that is not inside quotes. */
function endOfLastLine(text) {
  let quoted = false;
  let end = 0;
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] === '"') quoted = !quoted;
    else if (text[at] === '\n' && !quoted) end = at + 1;
  }
  return end;
}
