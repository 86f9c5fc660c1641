import { CsvError } from './errors.js';

/** All lines of a text that are not empty: `{ fields, line }`. */
export function parseRows(text, { delimiter }) {
  const rows = [];
  let at = text.startsWith('\uFEFF') ? 1 : 0;
  let line = 1;
  while (at < text.length) {
    const row = parseRow(text, at, line, delimiter);
    if (row.fields.length > 1 || row.fields[0] !== '' || row.quoted) {
      rows.push({ fields: row.fields, line });
    }
    ({ at, line } = row);
  }
  return rows;
}

function parseRow(text, start, startLine, delimiter) {
  const fields = [];
  let at = start;
  let line = startLine;
  let quoted = false;
  for (;;) {
    const isQuoted = text[at] === '"';
    const field = isQuoted ? parseQuoted(text, at, line) : parsePlain(text, at, delimiter);
    quoted ||= isQuoted;
    fields.push(field.value);
    line += countLines(field.value);
    at = field.end;
    if (text[at] === delimiter) {
      at += 1;
      continue;
    }
    const length = lineEndLength(text, at);
    if (length === 0 && at < text.length) {
      throw new CsvError('QUOTE', 'unexpected character behind a closing quote', line);
    }
    return { fields, quoted, at: at + length, line: line + 1 };
  }
}

function parsePlain(text, start, delimiter) {
  let end = start;
  while (end < text.length && text[end] !== delimiter && lineEndLength(text, end) === 0) end += 1;
  return { value: text.slice(start, end), end };
}

function parseQuoted(text, start, line) {
  let value = '';
  let at = start + 1;
  for (;;) {
    const quote = text.indexOf('"', at);
    if (quote === -1) throw new CsvError('QUOTE', 'a quoted field is not closed', line);
    value += text.slice(at, quote);
    if (text[quote + 1] !== '"') return { value, end: quote + 1 };
    value += '"';
    at = quote + 2;
  }
}

function lineEndLength(text, at) {
  if (text[at] === '\n') return 1;
  return text[at] === '\r' && text[at + 1] === '\n' ? 2 : 0;
}

function countLines(value) {
  let count = 0;
  for (let at = value.indexOf('\n'); at !== -1; at = value.indexOf('\n', at + 1)) count += 1;
  return count;
}
