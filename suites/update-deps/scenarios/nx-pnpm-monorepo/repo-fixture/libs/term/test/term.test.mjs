import assert from "node:assert/strict";
import test from "node:test";

import { consoleOptions, Screen } from "../dist/index.js";

test("term: a screen shows what was drawn last", async () => {
  const screen = new Screen({ cols: 20, rows: 3 });
  await screen.draw("loading 10%\rloading 99%\n\u001b[31mdone\u001b[0m\n");
  assert.deepEqual(screen.lines(), ["loading 99%", "done"]);
});

test("term: raw UTF-8 is drawn like text", async () => {
  const screen = new Screen();
  await screen.draw(new TextEncoder().encode("æøå"));
  assert.deepEqual(screen.lines(), ["æøå"]);
});

test("term: tabs are eight wide", () => {
  assert.equal(new Screen().tabWidth, 8);
});

test("term: the console has its size and colours", () => {
  const options = consoleOptions();
  assert.deepEqual([options.cols, options.rows, options.scrollback], [120, 30, 5000]);
  assert.equal(options.theme?.background, "#0b1d2a");
});
