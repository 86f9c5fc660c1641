import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import test from 'node:test';

const ROOT = new URL('..', import.meta.url).pathname;

function tally(...words) {
  const done = spawnSync(process.execPath, ['bin/tally.js', ...words], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  return [done.status, done.stdout, done.stderr];
}

test('report prints a table', () => {
  const words = ['report', 'examples/sales.csv', '--group-by', 'region', '--sum', 'amount'];
  assert.deepEqual(tally(...words, '--count'), [
    0,
    'region  sum(amount)  count\nnorth        1250.5      3\nsouth           410      2\n',
    '',
  ]);
});

test('report prints JSON', () => {
  const [status, out] = tally('report', 'examples/sales.csv', '--max', 'amount', '--json');
  assert.equal(status, 0);
  assert.deepEqual(JSON.parse(out), { columns: ['max(amount)'], rows: [[1000.25]] });
});

test('columns prints the names', () => {
  const [status, out] = tally('columns', 'examples/sales.csv');
  assert.deepEqual([status, out], [0, 'date\nregion\namount\nnote\n']);
});

test('mistakes are status 2', () => {
  for (const words of [
    [],
    ['report', 'examples/sales.csv'],
    ['report', 'examples/sales.csv', '--sum', 'note'],
    ['columns', 'nowhere.csv'],
    ['report', 'examples/sales.csv', '--count', '--frobnicate'],
  ]) {
    const [status, out, err] = tally(...words);
    assert.deepEqual([status, out], [2, '']);
    assert.match(err, /^tally: /);
  }
});
