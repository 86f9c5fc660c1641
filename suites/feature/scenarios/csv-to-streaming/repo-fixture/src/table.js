/** A report as an aligned table; numbers stand on the right. */
export function toTable({ columns, rows }) {
  const cells = [columns, ...rows].map((row) => row.map((value) => String(value ?? '-')));
  const numeric = columns.map((_, at) => rows.some((row) => typeof row[at] === 'number'));
  const widths = columns.map((_, at) => Math.max(...cells.map((row) => row[at].length)));
  return cells
    .map((row) => row.map((cell, at) => pad(cell, widths[at], numeric[at])).join('  ').trimEnd())
    .join('\n');
}

function pad(cell, width, right) {
  return right ? cell.padStart(width) : cell.padEnd(width);
}
