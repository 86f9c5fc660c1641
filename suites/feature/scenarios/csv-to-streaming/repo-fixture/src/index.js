export { CsvError } from './errors.js';
export { parseCsv } from './records.js';
export { parseFile, reportFile } from './files.js';
export { report } from './report.js';
