import { parseArgs } from 'node:util';
import { CsvError } from './errors.js';
import { columnsOfFile, reportFile } from './files.js';
import { toTable } from './table.js';

const MEASURES = ['sum', 'min', 'max', 'mean'];
const OPTIONS = {
  'group-by': { type: 'string', multiple: true, default: [] },
  ...Object.fromEntries(MEASURES.map((kind) => [kind, { type: 'string', multiple: true }])),
  count: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  delimiter: { type: 'string', default: ',' },
};
const COMMANDS = { report: runReport, columns: runColumns };

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
    out.write(`${await COMMANDS[command](file, values)}\n`);
    return 0;
  } catch (error) {
    if (!(error instanceof CsvError || error instanceof TypeError || error.syscall)) throw error;
    err.write(`tally: ${error.message}\n`);
    return 2;
  }
}

async function runReport(file, values) {
  const columns = MEASURES.flatMap((kind) =>
    (values[kind] ?? []).map((column) => ({ kind, column })),
  );
  const measures = values.count ? [...columns, { kind: 'count' }] : columns;
  const spec = { groupBy: values['group-by'], measures };
  const result = await reportFile(file, spec, { delimiter: values.delimiter });
  return values.json ? JSON.stringify(result) : toTable(result);
}

async function runColumns(file, values) {
  return (await columnsOfFile(file, { delimiter: values.delimiter })).join('\n');
}
