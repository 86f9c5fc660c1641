"""NDJSON, back-pressure and the commands."""

import json
from typing import Any

from grading import cases, node, run

WRITE = """
import { Writable } from 'node:stream';
import { writeNdjson } from './src/index.js';

export default async (chunks, highWaterMark, plan) => {
  const log = [];
  let text = '';
  let writes = 0;
  const problem = new Error('no space left');
  const writable = new Writable({
    highWaterMark,
    decodeStrings: false,
    write(chunk, _, done) {
      writes += 1;
      text += chunk.toString();
      if (plan === 'fail' && writes === 2) setTimeout(() => done(problem), 5);
      else if (plan === 'destroy' && writes === 2) setTimeout(() => writable.destroy(), 5);
      else setTimeout(done, 2);
    },
  });
  const write = writable.write;
  writable.write = function (...args) {
    const ready = write.apply(this, args);
    log.push(ready ? 'write' : 'full');
    return ready;
  };
  writable.on('drain', () => log.push('drain'));
  writable.on('error', () => {});
  async function* source() {
    try {
      for (const chunk of chunks) {
        log.push('read');
        yield chunk;
      }
    } finally {
      log.push('closed');
    }
  }
  let count;
  try {
    count = await writeNdjson(source(), writable);
  } catch (error) {
    count = error === problem ? 'the same error' : error instanceof Error ? 'an error' : 'no error';
  }
  const ended = writable.writableEnded;
  while (!writable.destroyed && writable.writableLength > 0) {
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  return { count, ended, text, log };
};
"""


def lines(text: str) -> list[Any]:
    assert text == "" or text.endswith("\n")
    return [json.loads(line) for line in text.split("\n")[:-1]]


def test_each_record_is_a_line_of_json() -> None:
    chunks = ['b,a\n1,"x\ny"\n', 'ü,"say ""hi"""\n', ","]
    seen = node(WRITE, chunks, 16384, "")
    assert lines(seen["text"]) == [
        {"b": "1", "a": "x\ny"}, {"b": "ü", "a": 'say "hi"'}, {"b": "", "a": ""},
    ]
    assert list(lines(seen["text"])[0]) == ["b", "a"]
    assert (seen["count"], seen["ended"]) == (3, False)


def test_no_records_are_no_lines() -> None:
    seen = node(WRITE, ["a,b\n"], 16384, "")
    assert (seen["count"], seen["text"], seen["ended"]) == (0, "", False)


@cases([1, 40])
def test_nothing_happens_between_full_and_drain(high_water_mark: int) -> None:
    chunks = ["a\n", *(f"{number}\n" for number in range(12)), "x\ny\nz\n"]
    seen = node(WRITE, chunks, high_water_mark, "")
    assert seen["count"] == 15
    assert [item["a"] for item in lines(seen["text"])] == [*map(str, range(12)), "x", "y", "z"]
    log = seen["log"]
    assert "full" in log
    for index, event in enumerate(log[:-1]):
        if event == "full" and log[index + 1] != "closed":
            assert log[index + 1] == "drain", log[: index + 3]


def test_records_of_one_chunk_respect_back_pressure_too() -> None:
    seen = node(WRITE, ["a\n" + "".join(f"{number}\n" for number in range(30))], 25, "")
    log = [event for event in seen["log"] if event in ("write", "full", "drain")]
    assert seen["count"] == 30
    for event, after in zip(log, log[1:], strict=False):
        assert event != "full" or after == "drain", log


@cases([("fail", "the same error"), ("destroy", "an error")])
def test_a_writable_that_goes_away_ends_it_and_closes_the_source(case: tuple[str, str]) -> None:
    plan, expected = case
    chunks = ["a\n", *(f"{number}\n" for number in range(12))]
    seen = node(WRITE, chunks, 1, plan)
    assert seen["count"] == expected
    assert "closed" in seen["log"]
    assert seen["log"].count("read") < 6


def test_a_mistake_comes_after_the_lines_before_it() -> None:
    seen = node(WRITE, ["a\n1\n2\n3,4\n5\n"], 16384, "")
    assert seen["count"] == "an error"
    assert [item["a"] for item in lines(seen["text"])] == ["1", "2"]


def test_convert_prints_ndjson() -> None:
    text = '\ufeffname;n\r\n"Zoë\n";1\r\n'
    done = run(["node", "bin/tally.js", "convert", "-", "--delimiter", ";"], stdin=text)
    assert (done.exit_code, done.stderr) == (0, "")
    assert lines(done.stdout) == [{"name": "Zoë\n", "n": "1"}]


def test_convert_prints_what_stands_before_a_mistake() -> None:
    done = run(["node", "bin/tally.js", "convert", "-"], stdin="a,b\n1,2\n3,4\n5\n6,7\n")
    assert done.exit_code == 2
    assert lines(done.stdout) == [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]
    assert done.stderr.strip() == "tally: line 4: expected 2 fields, got 1"


def test_every_command_reads_standard_input() -> None:
    text = "g,n\nx,1\ny,2\nx,3\n"
    report = ["report", "-", "--group-by", "g", "--sum", "n", "--json"]
    done = run(["node", "bin/tally.js", *report], stdin=text)
    assert (done.exit_code, done.stderr) == (0, "")
    assert json.loads(done.stdout) == {"columns": ["g", "sum(n)"], "rows": [["x", 4], ["y", 2]]}
    done = run(["node", "bin/tally.js", "columns", "-"], stdin=text)
    assert (done.exit_code, done.stdout, done.stderr) == (0, "g\nn\n", "")


FILE = """
import { spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tmpdir } from 'node:os';

export default (line, count, script) => {
  const path = join(mkdtempSync(join(tmpdir(), 'tally-')), 'data.csv');
  writeFileSync(path, `a,b\\n${line.repeat(count)}`);
  const done = spawnSync('sh', ['-c', script, 'sh', path], { encoding: 'utf8', timeout: 20000 });
  return [done.stdout, done.stderr];
};
"""


def test_convert_reads_files() -> None:
    out, err = node(FILE, "1,2\n", 2, 'node bin/tally.js convert "$1"; echo "status $?"')
    assert (out, err) == ('{"a":"1","b":"2"}\n{"a":"1","b":"2"}\nstatus 0\n', "")


@cases(['"$1"', '- < "$1"'])
def test_a_reader_that_goes_away_is_no_error(source: str) -> None:
    script = f'{{ node bin/tally.js convert {source}; echo "status $?" >&2; }} | head -n 1'
    out, err = node(FILE, "some text,that fills the pipe\n", 60_000, script)
    assert json.loads(out) == {"a": "some text", "b": "that fills the pipe"}
    assert err == "status 0\n"


WAITING = """
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';

export default async (text) => {
  const child = spawn(process.execPath, ['bin/tally.js', 'columns', '-']);
  let out = '';
  child.stdout.on('data', (chunk) => { out += chunk; });
  child.stdin.on('error', () => {});
  child.stdin.write(text);
  const patience = setTimeout(() => child.kill('SIGKILL'), 20000);
  const [status] = await once(child, 'close');
  clearTimeout(patience);
  return [status, out];
};
"""


def test_columns_does_not_wait_for_the_rest() -> None:
    assert node(WAITING, "\na,b\r\n1,2\n") == [0, "a\nb\n"]
