import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { renderPage } from "../dist/index.js";

test("app: a page shows its job", () => {
  const page = renderPage({ name: "Deploy <7>", elapsedMs: 65_000, lines: ["INFO: cast off", "all quiet"] });
  assert.match(page, /^<!doctype html><html lang="en">/);
  assert.match(page, /<section class="panel calm"><h2>Deploy &lt;7&gt;<\/h2><p>1 m 05 s<\/p>/);
});

test("app: an error is alarming", () => {
  const page = renderPage({ name: "Deploy", elapsedMs: 0, lines: ["ERROR: ran aground"] });
  assert.match(page, /<section class="panel alarm">/);
});

test("app: the page's script was bundled", () => {
  const bundle = readFileSync(new URL("../dist/public/main.js", import.meta.url), "utf8");
  assert.match(bundle, /getElementById/);
});
