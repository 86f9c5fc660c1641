import { CsvError } from './errors.js';

/** The text of a file's bytes; the byte order mark is left to the parser. */
export function decode(bytes) {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) throw new CsvError('ENCODING', 'the data is not UTF-8');
    throw error;
  }
}
