export { CsvError } from './errors.js';
export { parseFile, reportFile } from './files.js';
export { parseCsv } from './records.js';
export { report, streamReport } from './report.js';
export { streamRecords } from './stream.js';
export { writeNdjson } from './ndjson.js';
