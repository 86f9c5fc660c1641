"""The same records and mistakes, however a text is cut."""

from typing import Any

from grading import cases, node
from table import Table

CUT = """
import { parseCsv, streamRecords } from './src/index.js';

const SIZES = [1, 2, 3, 4, 5, 7, 11, 64, 100000];

async function* cut(whole, size, pause) {
  for (let at = 0; at < whole.length; at += size) {
    if (pause) await null;
    yield whole.slice(at, at + size);
    if (at % 3 === 0) yield whole.slice(0, 0);
  }
}

function* views(whole, size) {
  for (let at = 0; at < whole.length; at += size) yield whole.subarray(at, at + size);
}

async function outcome(records) {
  const seen = [];
  try {
    for await (const record of records) seen.push(record);
    return { records: seen };
  } catch (error) {
    const { name, code, line, message } = error;
    return { records: seen, error: { name, code, line: line ?? null, message } };
  }
}

async function compared(text, options) {
  const distinct = new Set();
  const bytes = new TextEncoder().encode(text);
  for (const size of SIZES) {
    for (const source of [cut(text, size), cut(bytes, size, true), views(bytes, size)]) {
      distinct.add(JSON.stringify(await outcome(streamRecords(source, options))));
    }
  }
  let whole;
  try {
    const records = parseCsv(text, options);
    whole = { sync: Array.isArray(records), records };
  } catch ({ name, code, line, message }) {
    whole = { error: { name, code, line: line ?? null, message } };
  }
  return { streamed: [...distinct].map((item) => JSON.parse(item)), whole };
}

export default async (jobs) => {
  const seen = [];
  for (const [text, options] of jobs) seen.push(await compared(text, options));
  return seen;
};
"""

GOOD: list[tuple[str, dict[str, str], list[str], list[list[str]]]] = [
    ("", {}, [], []),
    ("\n\r\n", {}, [], []),
    ("a,b\n", {}, ["a", "b"], []),
    ("a,b\n1,2\n3,4", {}, ["a", "b"], [["1", "2"], ["3", "4"]]),
    ("a,b\r\n1,2\r\n\r\n3,4\r\n", {}, ["a", "b"], [["1", "2"], ["3", "4"]]),
    ("\n\na\n\n1\r\n\n\"\"\n2\n", {}, ["a"], [["1"], [""], ["2"]]),
    ('a,b\n"1,\n2","x\r\ny"\n"""","say ""hi"""\n', {}, ["a", "b"],
     [["1,\n2", "x\r\ny"], ['"', 'say "hi"']]),
    ('a,b\n"","""a"""""\n', {}, ["a", "b"], [["", '"a""']]),
    ("a\n5\" pipe\nx\"\"y\n", {}, ["a"], [['5" pipe'], ['x""y']]),
    ("a,b\n\r,2\r\n\rx,\r\r\n\r\"q\",5\r", {}, ["a", "b"],
     [["\r", "2"], ["\rx", "\r"], ["\r\"q\"", "5\r"]]),
    ("\ufeffa,b\n\ufeff1,2\n", {}, ["a", "b"], [["\ufeff1", "2"]]),
    ("\ufeff\ufeffa\n1\n", {}, ["\ufeffa"], [["1"]]),
    ("\ufeff\"a\"\n1\n", {}, ["a"], [["1"]]),
    ("straße,€,😀\n\"grün\",\"𝄞\n𝄞\",naïve\n", {}, ["straße", "€", "😀"],
     [["grün", "𝄞\n𝄞", "naïve"]]),
    ("a;b\n1,5;\"2;3\"\n;", {"delimiter": ";"}, ["a", "b"], [["1,5", "2;3"], ["", ""]]),
    ("a\tb\n 1 \t\n", {"delimiter": "\t"}, ["a", "b"], [[" 1 ", ""]]),
    ("aäb\n1ä2\n", {"delimiter": "ä"}, ["a", "b"], [["1", "2"]]),
]  # fmt: skip


BAD: list[tuple[str, int, str, int, str | None]] = [
    ("a,b\n1,2\n3\n", 1, "COLUMNS", 3, "line 3: expected 2 fields, got 1"),
    ('a,b\r\n"x\r\n\r\ny",2\r\n\r\n3,4,5', 1, "COLUMNS", 6, "line 6: expected 2 fields, got 3"),
    ("a,b\n1,2\n,,", 1, "COLUMNS", 3, "line 3: expected 2 fields, got 3"),
    ('a\n1\n\n"2\n3\n', 1, "QUOTE", 4, "line 4: a quoted field is not closed"),
    ('a,b\n"1\n2","3\n4', 0, "QUOTE", 3, "line 3: a quoted field is not closed"),
    ('a,b\n1,2\n3,"', 1, "QUOTE", 3, "line 3: a quoted field is not closed"),
    ('a\n1\n"2\n"x\n', 1, "QUOTE", 4, None),
    ('a\n"1"\n"2"\rx\n', 1, "QUOTE", 3, None),
    ('a\n"1"\n"2"\r', 1, "QUOTE", 3, None),
    ('a,b\n"1" ,2\n', 0, "QUOTE", 2, None),
    ("\n\r\na,b,a\n1,2,3\n", 0, "HEADER", 3, "line 3: two columns are called 'a'"),
    ("\ufeffa,\n1,2\n", 0, "HEADER", 1, "line 1: a column has no name"),
]
SEEN = Table(
    lambda jobs: node(CUT, jobs, timeout_s=90),
    [*([text, options] for text, options, *_ in GOOD), *([text, {}] for text, *_ in BAD)],
)


@cases(GOOD)
def test_records_are_the_same_however_the_text_is_cut(
    case: tuple[str, dict[str, str], list[str], list[list[str]]],
) -> None:
    text, options, names, rows = case
    records = [dict(zip(names, row, strict=True)) for row in rows]
    seen = SEEN[[text, options]]
    assert seen["streamed"] == [{"records": records}]
    assert [list(record) for record in seen["streamed"][0]["records"]] == [names] * len(rows)
    assert seen["whole"] == {"sync": True, "records": records}


@cases(BAD)
def test_a_mistake_is_the_same_and_what_stands_before_it_is_handed_out(
    case: tuple[str, int, str, int, str | None],
) -> None:
    text, before, code, line, message = case
    seen = SEEN[[text, {}]]
    assert len(seen["streamed"]) == 1, seen
    found: dict[str, Any] = seen["streamed"][0]
    assert len(found["records"]) == before
    assert (found["error"]["name"], found["error"]["code"]) == ("CsvError", code)
    assert found["error"]["line"] == line
    assert found["error"]["message"].startswith(f"line {line}: ")
    assert message in (None, found["error"]["message"])
    assert seen["whole"]["error"] == found["error"]


BYTES = """
import { CsvError, streamRecords } from './src/index.js';

export default async (all, sizes) => Promise.all(all.map((bytes) => outcomes(bytes, sizes)));

async function outcomes(bytes, sizes) {
  const whole = Uint8Array.from(bytes);
  const seen = [];
  for (const size of sizes) {
    const chunks = [];
    for (let at = 0; at < whole.length; at += size) chunks.push(whole.subarray(at, at + size));
    const records = [];
    try {
      for await (const record of streamRecords(chunks)) records.push(record);
      seen.push(['fine', records]);
    } catch (error) {
      seen.push([error instanceof CsvError ? error.code : String(error), records]);
    }
  }
  return seen;
}
"""

NOT_UTF_8 = [
    b"a\n1\n\xe4\n2\n",
    b"a\n1\n\xc3\n",
    b"a\n1\n\xed\xa0\x80\n",
    b"a\n1\n2\xe2\x82",
    b"a\n1\n2\xf0\x9f\x98",
]
FINE = "a\n\ufffd\n".encode()
SIZES = [1, 2, 3, 5, 100]
DECODED = Table(lambda rows: node(BYTES, rows, SIZES), [list(data) for data in (*NOT_UTF_8, FINE)])


@cases(NOT_UTF_8)
def test_bytes_that_are_not_utf_8_are_an_encoding_error(data: bytes) -> None:
    seen = DECODED[list(data)]
    for code, records in seen:
        assert code == "ENCODING"
        assert records in ([], [{"a": "1"}])
    assert seen[0][1] == [{"a": "1"}]


def test_the_replacement_character_itself_is_fine() -> None:
    assert DECODED[list(FINE)] == [["fine", [{"a": "\ufffd"}]]] * len(SIZES)


FILES = """
import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import { parseFile, report, reportFile, streamReport } from './src/index.js';

const caught = async (promise) => {
  try {
    return await promise;
  } catch ({ name, code, message }) {
    return { name, code, message };
  }
};

export default async (text, spec, options) => {
  const path = join(mkdtempSync(join(tmpdir(), 'tally-')), 'data.csv');
  writeFileSync(path, text);
  const bytes = [...Buffer.from(text)].map((byte) => Buffer.of(byte));
  const records = await parseFile(path, options);
  return {
    records,
    report: await caught((async () => report(records, spec))()),
    reportFile: await caught(reportFile(path, spec, options)),
    streamReport: await caught(streamReport(bytes, spec, options)),
  };
};
"""


def test_reports_are_the_same_from_records_files_and_streams() -> None:
    text = "ort;n\nKöln;1.5\nÜlm;2\nKöln;-4\nÜlm;\n"
    spec = {
        "groupBy": ["ort"],
        "measures": [
            {"kind": "sum", "column": "n"}, {"kind": "min", "column": "n"},
            {"kind": "max", "column": "n"}, {"kind": "mean", "column": "n"}, {"kind": "count"},
        ],
    }  # fmt: skip
    seen = node(FILES, text, spec, {"delimiter": ";"})
    assert seen["records"][0] == {"ort": "Köln", "n": "1.5"}
    expected = {
        "columns": ["ort", "sum(n)", "min(n)", "max(n)", "mean(n)", "count"],
        "rows": [["Köln", -2.5, -4, 1.5, -1.25, 2], ["Ülm", 2, 2, 2, 2, 2]],
    }
    for way in ("report", "reportFile", "streamReport"):
        assert seen[way] == expected, way


@cases(
    [
        ("a\n1\nx\n", {"measures": [{"kind": "sum", "column": "a"}]}, "NUMBER"),
        ("a\n1\n", {"groupBy": ["b"], "measures": [{"kind": "count"}]}, "COLUMN"),
        ("a\n1\n", {"measures": []}, None),
    ]
)
def test_mistakes_of_reports_are_the_same(case: tuple[str, dict[str, Any], str | None]) -> None:
    text, spec, code = case
    seen = node(FILES, text, spec, {})
    assert seen["report"]["name"] == ("TypeError" if code is None else "CsvError")
    assert seen["report"].get("code") == code
    assert seen["report"] == seen["reportFile"] == seen["streamReport"]
