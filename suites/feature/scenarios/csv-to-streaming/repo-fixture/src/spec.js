import { MEASURE_KINDS } from './measures.js';

/** Check a report's spec and complete it. */
export function readSpec({ groupBy = [], measures = [] } = {}) {
  if (!Array.isArray(groupBy) || !Array.isArray(measures)) {
    throw new TypeError('groupBy and measures are lists');
  }
  if (measures.length === 0) throw new TypeError('a report needs a measure');
  for (const { kind, column } of measures) {
    if (!MEASURE_KINDS.includes(kind)) throw new TypeError(`unknown measure '${kind}'`);
    if ((kind === 'count') !== (column === undefined)) {
      throw new TypeError(kind === 'count' ? 'count takes no column' : `${kind} needs a column`);
    }
  }
  return { groupBy, measures };
}

/** The names of a report's columns. */
export function reportColumns({ groupBy, measures }) {
  const names = measures.map(({ kind, column }) => (column ? `${kind}(${column})` : kind));
  return [...groupBy, ...names];
}
