/** Something in the data is wrong; `line` is undefined where no line can be named. */
export class CsvError extends Error {
  constructor(code, message, line) {
    super(line === undefined ? message : `line ${line}: ${message}`);
    this.name = 'CsvError';
    this.code = code;
    this.line = line;
  }
}
