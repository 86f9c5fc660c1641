import assert from "node:assert/strict";
import test from "node:test";

import { copyOf, duration, levelOf, weightOf } from "../dist/index.js";

test("util: a level is read off a line", () => {
  assert.equal(levelOf("WARN: low water"), "warn");
  assert.equal(levelOf("[error]: ran aground"), "error");
  assert.equal(levelOf("all quiet"), "info");
});

test("util: an unknown level weighs nothing", () => {
  assert.equal(weightOf("Error"), 40);
  assert.equal(weightOf("fatal"), 0);
});

test("util: a duration begins with its largest unit", () => {
  assert.equal(duration(3_725_000), "1 h 02 m 05 s");
  assert.equal(duration(125_999), "2 m 05 s");
  assert.equal(duration(0), "0 s");
});

test("util: a copy is independent", () => {
  const original = { tags: ["a"] };
  const copy = copyOf(original);
  copy.tags.push("b");
  assert.deepEqual(original, { tags: ["a"] });
});
