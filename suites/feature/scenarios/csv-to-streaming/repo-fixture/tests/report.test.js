import assert from 'node:assert/strict';
import test from 'node:test';
import { report } from '../src/index.js';
import { toTable } from '../src/table.js';

const RECORDS = [
  { region: 'north', amount: '1.5', note: '' },
  { region: 'south', amount: '', note: 'x' },
  { region: 'north', amount: '-3', note: 'y' },
];

test('groups come in the order in which they first occur', () => {
  const measures = ['sum', 'min', 'max', 'mean'].map((kind) => ({ kind, column: 'amount' }));
  assert.deepEqual(report(RECORDS, { groupBy: ['region'], measures }), {
    columns: ['region', 'sum(amount)', 'min(amount)', 'max(amount)', 'mean(amount)'],
    rows: [
      ['north', -1.5, -3, 1.5, -0.75],
      ['south', 0, null, null, null],
    ],
  });
});

test('without groups there is one line, without records none', () => {
  const spec = { measures: [{ kind: 'count' }] };
  assert.deepEqual(report(RECORDS, spec).rows, [[3]]);
  assert.deepEqual(report([], spec).rows, []);
});

test('what is no number is an error with its record', () => {
  const spec = { measures: [{ kind: 'sum', column: 'note' }] };
  assert.throws(() => report(RECORDS, spec), {
    code: 'NUMBER',
    message: "record 2: note: not a number: 'x'",
  });
});

test('a column has to exist', () => {
  assert.throws(() => report(RECORDS, { groupBy: ['city'], measures: [{ kind: 'count' }] }), {
    code: 'COLUMN',
  });
});

test('a wrong spec is a TypeError', () => {
  assert.throws(() => report(RECORDS, {}), TypeError);
  assert.throws(() => report(RECORDS, { measures: [{ kind: 'sum' }] }), TypeError);
  assert.throws(() => report(RECORDS, { measures: [{ kind: 'median', column: 'x' }] }), TypeError);
});

test('tables are aligned', () => {
  const table = toTable({ columns: ['name', 'n'], rows: [['a', 5], ['bcdef', null]] });
  assert.equal(table, 'name   n\na      5\nbcdef  -');
});
