import { CsvError } from './errors.js';

/** The text of a source, chunk by chunk; the byte order mark is left to the parser. */
export async function* decoded(source) {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  for await (const chunk of source) {
    yield typeof chunk === 'string' ? chunk : decode(decoder, chunk);
  }
  yield decode(decoder);
}

function decode(decoder, bytes) {
  try {
    return decoder.decode(bytes, { stream: bytes !== undefined });
  } catch (error) {
    if (error instanceof TypeError) throw new CsvError('ENCODING', 'the data is not UTF-8');
    throw error;
  }
}
