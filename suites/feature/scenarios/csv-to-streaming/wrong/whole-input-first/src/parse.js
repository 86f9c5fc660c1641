import { CsvError } from './errors.js';

const START = 'start';
const PLAIN = 'plain';
const QUOTED = 'quoted';
const CLOSED = 'closed';
const BYTE_ORDER_MARK = '\uFEFF';

/** Turns pieces of a text into its lines that are not empty: `{ fields, line }`. */
export class RowParser {
  #delimiter;
  #begun = false;
  #state = START;
  /** A CR was read, and what comes next decides what it was. */
  #cr = false;
  #line = 1;
  #rowLine = 1;
  #fieldLine = 1;
  #fields = [];
  #value = '';
  #quoted = false;
  #row = null;

  constructor({ delimiter }) {
    this.#delimiter = delimiter;
  }

  /** The rows that this piece completes. */
  *push(text) {
    let at = 0;
    if (!this.#begun && text.length > 0) {
      this.#begun = true;
      if (text[0] === BYTE_ORDER_MARK) at = 1;
    }
    while (at < text.length) {
      at = this.#cr ? this.#afterCr(text, at) : this.#step(text, at);
      if (this.#row !== null) yield this.#takeRow();
    }
  }

  /** The row that the end of the text completes, if any. */
  *end() {
    if (this.#cr) this.#keepCr();
    if (this.#state === QUOTED) {
      throw new CsvError('QUOTE', 'a quoted field is not closed', this.#fieldLine);
    }
    this.#endRow();
    if (this.#row !== null) yield this.#takeRow();
  }

  #step(text, at) {
    if (this.#state === QUOTED) return this.#inQuotes(text, at);
    if (this.#state === CLOSED) return this.#behindQuote(text, at);
    if (this.#state === START && text[at] === '"') {
      this.#state = QUOTED;
      this.#quoted = true;
      this.#fieldLine = this.#line;
      return at + 1;
    }
    this.#state = PLAIN;
    let end = at;
    while (end < text.length && !this.#separates(text[end])) end += 1;
    this.#value += text.slice(at, end);
    return end === text.length ? end : this.#separator(text, end);
  }

  #inQuotes(text, at) {
    const quote = text.indexOf('"', at);
    const end = quote === -1 ? text.length : quote;
    const part = text.slice(at, end);
    this.#value += part;
    this.#line += countLines(part);
    if (quote === -1) return end;
    this.#state = CLOSED;
    return quote + 1;
  }

  #behindQuote(text, at) {
    if (text[at] === '"') {
      this.#value += '"';
      this.#state = QUOTED;
      return at + 1;
    }
    if (!this.#separates(text[at])) this.#refuse();
    return this.#separator(text, at);
  }

  #separates(char) {
    return char === this.#delimiter || char === '\n' || char === '\r';
  }

  #separator(text, at) {
    if (text[at] === '\r') this.#cr = true;
    else if (text[at] === '\n') this.#endLine();
    else this.#endField();
    return at + 1;
  }

  #afterCr(text, at) {
    if (text[at] !== '\n') {
      this.#keepCr();
      return at;
    }
    this.#cr = false;
    this.#endLine();
    return at + 1;
  }

  #keepCr() {
    if (this.#state === CLOSED) this.#refuse();
    this.#cr = false;
    this.#state = PLAIN;
    this.#value += '\r';
  }

  #refuse() {
    throw new CsvError('QUOTE', 'unexpected character behind a closing quote', this.#line);
  }

  #endField() {
    this.#fields.push(this.#value);
    this.#value = '';
    this.#state = START;
  }

  #endLine() {
    this.#endRow();
    this.#line += 1;
    this.#rowLine = this.#line;
  }

  #endRow() {
    this.#endField();
    const empty = this.#fields.length === 1 && this.#fields[0] === '' && !this.#quoted;
    if (!empty) this.#row = { fields: this.#fields, line: this.#rowLine };
    this.#fields = [];
    this.#quoted = false;
  }

  #takeRow() {
    const row = this.#row;
    this.#row = null;
    return row;
  }
}

function countLines(value) {
  let count = 0;
  for (let at = value.indexOf('\n'); at !== -1; at = value.indexOf('\n', at + 1)) count += 1;
  return count;
}
