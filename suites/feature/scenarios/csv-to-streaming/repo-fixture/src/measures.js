import { CsvError } from './errors.js';

const NUMBER = /^\s*[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?\s*$/;

/** One running total per kind: how it starts, takes a number, and ends. */
const KINDS = {
  sum: { start: () => 0, add: (total, value) => total + value, end: (total) => total },
  min: { start: () => null, add: lower, end: (lowest) => lowest },
  max: { start: () => null, add: higher, end: (highest) => highest },
  mean: {
    start: () => ({ sum: 0, count: 0 }),
    add: ({ sum, count }, value) => ({ sum: sum + value, count: count + 1 }),
    end: ({ sum, count }) => (count === 0 ? null : sum / count),
  },
  count: { start: () => 0, add: (total) => total + 1, end: (total) => total },
};

export const MEASURE_KINDS = Object.keys(KINDS);

/** A running measure; `number` counts records and appears in errors. */
export class Measure {
  #kind;
  #column;
  #state;

  constructor({ kind, column }) {
    this.#kind = KINDS[kind];
    this.#column = column;
    this.#state = this.#kind.start();
  }

  add(record, number) {
    if (this.#column === undefined) {
      this.#state = this.#kind.add(this.#state);
      return;
    }
    const text = record[this.#column];
    if (text.trim() === '') return;
    if (!NUMBER.test(text)) {
      throw new CsvError('NUMBER', `record ${number}: ${this.#column}: not a number: '${text}'`);
    }
    this.#state = this.#kind.add(this.#state, Number(text));
  }

  get value() {
    return this.#kind.end(this.#state);
  }
}

function lower(lowest, value) {
  return lowest === null || value < lowest ? value : lowest;
}

function higher(highest, value) {
  return highest === null || value > highest ? value : highest;
}
