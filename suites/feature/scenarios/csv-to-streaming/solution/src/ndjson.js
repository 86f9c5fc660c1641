import { streamRecords } from './stream.js';

/** Write each record as a line of JSON, no faster than the writable takes them. */
export async function writeNdjson(source, writable, options) {
  const sink = new Sink(writable);
  try {
    let count = 0;
    for await (const record of streamRecords(source, options)) {
      await sink.write(`${JSON.stringify(record)}\n`);
      count += 1;
    }
    await sink.flushed();
    return count;
  } finally {
    sink.release();
  }
}

/** A writable whose failure ends every wait. */
class Sink {
  #writable;
  #failure = null;
  #wake = null;
  #unwritten = 0;
  #listeners = {
    error: (error) => this.#fail(error),
    close: () => this.#fail(new Error('the writable was closed')),
    drain: () => this.#wake?.(),
  };

  constructor(writable) {
    this.#writable = writable;
    if (writable.destroyed) this.#fail(writable.errored ?? new Error('the writable was closed'));
    for (const [name, listener] of Object.entries(this.#listeners)) writable.on(name, listener);
  }

  async write(text) {
    this.#check();
    this.#unwritten += 1;
    const ready = this.#writable.write(text, () => {
      this.#unwritten -= 1;
      if (this.#unwritten === 0) this.#wake?.();
    });
    while (!ready && this.#writable.writableNeedDrain && this.#failure === null) {
      await this.#woken();
    }
    this.#check();
  }

  async flushed() {
    while (this.#unwritten > 0 && this.#failure === null) await this.#woken();
    this.#check();
  }

  release() {
    for (const [name, listener] of Object.entries(this.#listeners)) {
      this.#writable.off(name, listener);
    }
  }

  #check() {
    if (this.#failure !== null) throw this.#failure;
  }

  #woken() {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #fail(error) {
    this.#failure ??= error;
    this.#wake?.();
  }
}
