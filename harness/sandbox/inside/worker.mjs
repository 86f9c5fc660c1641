// Wraps a driver module in the worker: nothing said here is believed. The harness puts the driver
// where DRIVER stands and the arguments where ARGUMENTS stand; the answer goes to descriptor 3.
import { writeSync as mintmarkWrite } from "node:fs";

const mintmarkNotPlain = class NotPlain extends Error {};
const mintmarkNotData = [Map, Set, WeakMap, WeakSet, RegExp, Promise, ArrayBuffer];

function mintmarkPlain(key, value) {
  const kind = typeof value;
  const where = key === "" ? "the result" : `the value at ${key}`;
  if (kind === "number" && !Number.isFinite(value)) throw new mintmarkNotPlain(`${where} is ${value}`);
  if (kind === "function" || kind === "symbol" || kind === "bigint")
    throw new mintmarkNotPlain(`${where} is a ${kind}`);
  if (mintmarkNotData.some((odd) => value instanceof odd) || ArrayBuffer.isView(value))
    throw new mintmarkNotPlain(`${where} is a ${value.constructor.name}`);
  return value;
}

function mintmarkDescribed(error, phase) {
  const bases = [];
  for (let kind = Object(error); (kind = Object.getPrototypeOf(kind)) !== null; )
    if (kind.constructor && kind !== Object.prototype) bases.push(String(kind.constructor.name));
  const named = error instanceof Error ? [error.constructor.name, error.name] : [typeof error];
  const message = error instanceof Error ? error.message : error;
  return {
    type: String(named[0] || named[1]),
    message: String(message).slice(0, 2000),
    bases: [...new Set([...named.map(String), ...bases])],
    phase,
    detail: String((error && error.stack) || "").slice(0, 2000),
  };
}

function mintmarkAnswer(answer) {
  let rest = Buffer.from(JSON.stringify(answer, mintmarkPlain));
  while (rest.length > 0) {
    try {
      rest = rest.subarray(mintmarkWrite(3, rest));
    } catch (error) {
      if (error.code !== "EAGAIN") throw error;
    }
  }
  process.exit(0);
}

process.on("uncaughtException", (error) => mintmarkAnswer({ raised: mintmarkDescribed(error, "call") }));

DRIVER

try {
  const value = await mintmarkMain(...JSON.parse(ARGUMENTS));
  mintmarkAnswer({ value: value === undefined ? null : value });
} catch (error) {
  mintmarkAnswer({ raised: mintmarkDescribed(error, "call") });
}
