/** Such as "1 h 02 m 05 s", without leading units that are zero. */
export function duration(ms: number): string {
  const s = Math.floor(ms / 1000);
  const two = (value: number): string => String(value).padStart(2, "0");
  const [h, m] = [Math.floor(s / 3600), Math.floor(s / 60) % 60];
  if (h > 0) return `${h} h ${two(m)} m ${two(s % 60)} s`;
  return m > 0 ? `${m} m ${two(s % 60)} s` : `${s} s`;
}
