/** An independent copy of plain data: dates, maps and sets stay what they are. */
export function copyOf<T>(value: T): T {
  return structuredClone(value);
}
