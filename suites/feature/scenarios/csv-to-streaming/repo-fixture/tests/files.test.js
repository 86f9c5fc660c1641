import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { parseFile, reportFile } from '../src/index.js';

const EXAMPLE = new URL('../examples/sales.csv', import.meta.url).pathname;

async function withFile(content, use) {
  const folder = await mkdtemp(join(tmpdir(), 'tally-'));
  try {
    await writeFile(join(folder, 'data.csv'), content);
    return await use(join(folder, 'data.csv'));
  } finally {
    await rm(folder, { recursive: true });
  }
}

test('a file is read as UTF-8', async () => {
  const content = '\uFEFFstraße,€\ngrün,1\n';
  assert.deepEqual(await withFile(content, (path) => parseFile(path)), [
    { straße: 'grün', '€': '1' },
  ]);
});

test('other bytes are an error', async () => {
  for (const bytes of [[0x61, 0x0a, 0xe4, 0x0a], [0x61, 0x0a, 0xe2, 0x82]]) {
    await assert.rejects(withFile(Buffer.from(bytes), (path) => parseFile(path)), {
      name: 'CsvError',
      code: 'ENCODING',
    });
  }
});

test('a missing file is an error of the file system', async () => {
  await assert.rejects(parseFile('/nowhere/data.csv'), { code: 'ENOENT' });
});

test('the example adds up', async () => {
  const measures = [{ kind: 'sum', column: 'amount' }, { kind: 'count' }];
  assert.deepEqual((await reportFile(EXAMPLE, { groupBy: ['region'], measures })).rows, [
    ['north', 1250.5, 3],
    ['south', 410, 2],
  ]);
});
