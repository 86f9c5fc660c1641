import { parseArgs } from 'node:util';
import { CsvError } from './errors.js';
import { sourceOf } from './files.js';
import { writeNdjson } from './ndjson.js';
import { streamReport } from './report.js';
import { streamColumns } from './stream.js';
import { toTable } from './table.js';

const MEASURES = ['sum', 'min', 'max', 'mean'];
const OPTIONS = {
  'group-by': { type: 'string', multiple: true, default: [] },
  ...Object.fromEntries(MEASURES.map((kind) => [kind, { type: 'string', multiple: true }])),
  count: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  delimiter: { type: 'string', default: ',' },
};
const COMMANDS = { report: runReport, columns: runColumns, convert: runConvert };

/** Run one command; resolves to the exit status. */
export async function main(argv, out, err) {
  try {
    const { values, positionals } = parseArgs({
      args: argv,
      options: OPTIONS,
      allowPositionals: true,
    });
    const [command, file, ...more] = positionals;
    if (!Object.hasOwn(COMMANDS, command ?? '') || file === undefined || more.length > 0) {
      throw new TypeError(`usage: tally ${Object.keys(COMMANDS).join('|')} FILE [options]`);
    }
    await COMMANDS[command](file, values, out);
    return 0;
  } catch (error) {
    if (error.code === 'EPIPE') return 0;
    if (!(error instanceof CsvError || error instanceof TypeError || error.syscall)) throw error;
    err.write(`tally: ${error.message}\n`);
    return 2;
  }
}

async function runReport(file, values, out) {
  const columns = MEASURES.flatMap((kind) =>
    (values[kind] ?? []).map((column) => ({ kind, column })),
  );
  const measures = values.count ? [...columns, { kind: 'count' }] : columns;
  const spec = { groupBy: values['group-by'], measures };
  const result = await streamReport(sourceOf(file), spec, { delimiter: values.delimiter });
  out.write(`${values.json ? JSON.stringify(result) : toTable(result)}\n`);
}

async function runColumns(file, values, out) {
  const names = await streamColumns(sourceOf(file), { delimiter: values.delimiter });
  out.write(`${names.join('\n')}\n`);
}

async function runConvert(file, values, out) {
  await writeNdjson(sourceOf(file), out, { delimiter: values.delimiter });
}
