/** The text of a source, chunk by chunk; the byte order mark is left to the parser. */
export async function* decoded(source) {
  for await (const chunk of source) {
    yield typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8');
  }
}
