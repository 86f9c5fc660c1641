import assert from 'node:assert/strict';
import test from 'node:test';
import { CsvError, parseCsv } from '../src/index.js';

const values = (text, options) => parseCsv(text, options).map((record) => Object.values(record));

test('records have the names of the header, in its order', () => {
  assert.deepEqual(parseCsv('b,a\n1,2\n3,4'), [
    { b: '1', a: '2' },
    { b: '3', a: '4' },
  ]);
});

test('an empty text and a lonely header have no records', () => {
  assert.deepEqual(parseCsv(''), []);
  assert.deepEqual(parseCsv('\n\n'), []);
  assert.deepEqual(parseCsv('a,b\n'), []);
});

test('LF and CRLF end a line, a lonely CR does not', () => {
  assert.deepEqual(values('a,b\r\n1,2\n3\r,4\r\n'), [
    ['1', '2'],
    ['3\r', '4'],
  ]);
});

test('quoted fields keep delimiters, quotes and line ends', () => {
  assert.deepEqual(values('a,b\n"1,\r\n2","say ""x"""\n'), [['1,\r\n2', 'say "x"']]);
});

test('a quote in a plain field is content', () => {
  assert.deepEqual(values('a\n5" pipe\n'), [['5" pipe']]);
});

test('the byte order mark is dropped once', () => {
  assert.deepEqual(parseCsv('\uFEFFa\n1\n'), [{ a: '1' }]);
  assert.deepEqual(parseCsv('\uFEFF\uFEFFa\n1\n'), [{ '\uFEFFa': '1' }]);
});

test('empty lines are skipped, a quoted empty field is none', () => {
  assert.deepEqual(values('\r\na\n\n1\n\r\n""\n'), [['1'], ['']]);
});

test('the delimiter can be chosen', () => {
  assert.deepEqual(values('a;b\n1,5;2', { delimiter: ';' }), [['1,5', '2']]);
  assert.throws(() => parseCsv('a', { delimiter: '"' }), TypeError);
});

for (const [name, text, code, line, message] of [
  ['too few fields', 'a,b\n"x\ny",2\n3\n', 'COLUMNS', 4, 'line 4: expected 2 fields, got 1'],
  ['too many fields', 'a\n\n1,2', 'COLUMNS', 3, 'line 3: expected 1 fields, got 2'],
  ['an open quote', 'a,b\n1,"2\n3\n', 'QUOTE', 2, 'line 2: a quoted field is not closed'],
  ['text behind a quote', 'a\n"x\n"y\n', 'QUOTE', 3, null],
  ['a CR behind a quote', 'a\n"x"\ry\n', 'QUOTE', 2, null],
  ['a name used twice', '\na,a\n', 'HEADER', 2, "line 2: two columns are called 'a'"],
  ['a column without a name', 'a,\n', 'HEADER', 1, 'line 1: a column has no name'],
]) {
  test(`${name}: ${code}`, () => {
    assert.throws(
      () => parseCsv(text),
      (error) => {
        assert.ok(error instanceof CsvError);
        assert.deepEqual([error.code, error.line], [code, line]);
        assert.equal(error.message, message ?? error.message);
        return true;
      },
    );
  });
}
