"""When chunks are read, what is kept, and who is closed."""

from typing import Any

from grading import Raised, cases, node

PULLS = """
import { streamRecords } from './src/index.js';

export default async (chunks) => {
  let pulls = 0;
  const source = {
    [Symbol.asyncIterator]() {
      return {
        async next() {
          pulls += 1;
          return pulls <= chunks.length
            ? { value: chunks[pulls - 1], done: false }
            : { value: undefined, done: true };
        },
      };
    },
  };
  const records = streamRecords(source)[Symbol.asyncIterator]();
  await new Promise((resolve) => setTimeout(resolve, 20));
  const seen = [['before', pulls]];
  for (;;) {
    const { value, done } = await records.next();
    await new Promise((resolve) => setTimeout(resolve, 5));
    if (done) return seen;
    seen.push([Object.values(value).join(), pulls]);
  }
};
"""

CLOSING = """
import { Writable } from 'node:stream';
import { streamRecords, streamReport, writeNdjson } from './src/index.js';

const problem = new Error('the disk is gone');
const sources = (log, chunks, fails) => ({
  *sync() {
    try { yield* chunks; if (fails) throw problem; } finally { log.push('closed'); }
  },
  async *async() {
    try { yield* chunks; if (fails) throw problem; } finally { log.push('closed'); }
  },
});
const uses = {
  async stop(source, spec, log) {
    for await (const record of streamRecords(source)) {
      log.push(Object.values(record).join());
      break;
    }
  },
  async all(source, spec, log) {
    for await (const record of streamRecords(source)) log.push(Object.values(record).join());
  },
  report: (source, spec) => streamReport(source, spec),
  write: (source) => writeNdjson(source, new Writable({ write: (chunk, _, done) => done() })),
};

export default async (kind, use, chunks, fails, spec) => {
  const log = [];
  try {
    await uses[use](sources(log, chunks, fails)[kind](), spec, log);
  } catch (error) {
    log.push(error === problem ? 'the same error' : `${error.name} ${error.code}`);
  }
  return log;
};
"""

READABLE = """
import { Readable } from 'node:stream';
import { streamRecords } from './src/index.js';

export default async () => {
  let made = 0;
  const readable = new Readable({
    highWaterMark: 1,
    read() {
      made += 1;
      this.push(made === 1 ? 'a\\n' : `${made}\\n`);
    },
  });
  for await (const record of streamRecords(readable)) if (record.a === '3') break;
  return { destroyed: readable.destroyed, few: made < 20 };
};
"""


def test_a_chunk_is_read_only_when_it_is_needed() -> None:
    chunks = ["a,b\n", "1,2\n", "3,4\n5,6\n", "7,", "8", "\n", '"x\n', 'y",0\r', "\n", "9,"]
    seen = node(PULLS, chunks)
    assert seen[:-1] == [
        ["before", 0], ["1,2", 2], ["3,4", 3], ["5,6", 3], ["7,8", 6], ["x\ny,0", 9],
    ]  # fmt: skip
    assert seen[-1][0] == "9,"


@cases(["sync", "async"])
def test_stopping_early_closes_the_source(kind: str) -> None:
    chunks = ["a\n", "1\n2\n", "3\n"]
    assert node(CLOSING, kind, "stop", chunks, False, None) == ["1", "closed"]


@cases(["sync", "async"])
def test_a_mistake_comes_after_the_records_before_it_and_closes_the_source(kind: str) -> None:
    chunks = ["a,b\n1,2\n3,4\n5\n6,7\n", "8,9\n"]
    expected = ["1,2", "3,4", "closed", "CsvError COLUMNS"]
    assert node(CLOSING, kind, "all", chunks, False, None) == expected


@cases(["all", "report", "write"])
def test_an_error_of_the_source_arrives_as_it_is(use: str) -> None:
    spec = {"measures": [{"kind": "count"}]}
    log = node(CLOSING, "async", use, ["a\n1\n", "2\n"], True, spec)
    assert log == [*(["1", "2"] if use == "all" else []), "closed", "the same error"]


def test_an_error_of_the_report_closes_the_source() -> None:
    spec = {"measures": [{"kind": "sum", "column": "a"}]}
    log = node(CLOSING, "async", "report", ["a\n1\n", "x\n", "3\n"], False, spec)
    assert log == ["closed", "CsvError NUMBER"]


def test_a_readable_is_destroyed_when_the_consumer_stops() -> None:
    assert node(READABLE) == {"destroyed": True, "few": True}


PIECES = """
import { streamRecords } from './src/index.js';

export default async (head, piece, count, tail, asBytes) => {
  const make = (text) => (asBytes ? new TextEncoder().encode(text) : text);
  const middle = make(piece);
  async function* source() {
    yield make(head);
    for (let number = 0; number < count; number += 1) yield middle;
    yield make(tail);
  }
  const sizes = [];
  for await (const record of streamRecords(source())) {
    sizes.push(Object.values(record).map((value) => value.length));
  }
  return sizes;
};
"""


@cases(
    [
        ('a,b\n1,"', "0123456789äöü def\n,'xyz\r\n" * 3, '"\n', True),
        ("a,b\n1,", "0123456789 abcdef 0123456789 abcdef 0123456789 abcdef", "\n", False),
    ]
)
def test_a_field_in_very_many_pieces_is_read_in_linear_time(
    case: tuple[str, str, str, bool],
) -> None:
    head, piece, tail, as_bytes = case
    count = 200_000
    try:
        sizes = node(PIECES, head, piece, count, tail, as_bytes, timeout_s=25)
    except Raised as error:
        raise AssertionError(f"{count} pieces were too many: {error}") from error
    assert sizes == [[1, len(piece) * count]]


MEMORY = """
import { once } from 'node:events';
import { createWriteStream, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import { reportFile, streamReport } from './src/index.js';

function* lines(count) {
  yield 'group,amount,note\\n';
  let text = '';
  for (let number = 1; number <= count; number += 1) {
    text += `g${number % 3},${number},note of record ${number}\\n`;
    if (number % 500 === 0 || number === count) {
      yield Buffer.from(text);
      text = '';
    }
  }
}

async function file(count) {
  const path = join(mkdtempSync(join(tmpdir(), 'tally-')), 'big.csv');
  const out = createWriteStream(path);
  for (const chunk of lines(count)) if (!out.write(chunk)) await once(out, 'drain');
  out.end();
  await once(out, 'close');
  return path;
}

const spec = { groupBy: ['group'], measures: [{ kind: 'sum', column: 'amount' }] };
const uses = {
  stream: (count) => streamReport(lines(count), spec),
  file: async (count) => reportFile(await file(count), spec),
};

export default (use, count) => uses[use](count);
"""


@cases([("stream", 600_000), ("file", 600_000)])
def test_memory_does_not_grow_with_the_input(case: tuple[str, int]) -> None:
    use, count = case
    env = {"NODE_OPTIONS": "--max-old-space-size=20"}
    try:
        seen = node(MEMORY, use, count, env=env, timeout_s=90)
    except Raised as error:
        raise AssertionError(f"{count} records were too many: {error}") from error
    sums = {f"g{n}": 0 for n in (1, 2, 0)}
    for number in range(1, count + 1):
        sums[f"g{number % 3}"] += number
    rows: list[list[Any]] = [[name, total] for name, total in sums.items()]
    assert seen == {"columns": ["group", "sum(amount)"], "rows": rows}
