const FORBIDDEN = ['"', '\r', '\n', '\uFEFF'];

/** The options of every reading function, checked and complete. */
export function readingOptions(options = {}) {
  const { delimiter = ',', ...rest } = options;
  const unknown = Object.keys(rest);
  if (unknown.length > 0) throw new TypeError(`unknown option '${unknown[0]}'`);
  if (typeof delimiter !== 'string' || delimiter.length !== 1 || FORBIDDEN.includes(delimiter)) {
    throw new TypeError('the delimiter is one character, no quote and no line end');
  }
  return { delimiter };
}
