const WEIGHTS = { debug: 10, info: 20, warn: 30, error: 40 };

export type Level = keyof typeof WEIGHTS;

/** How serious a level is; a name that nobody knows weighs nothing. */
export function weightOf(name: string): number {
  const weights: Record<string, number> = WEIGHTS;
  return weights[name.toLowerCase()] ?? 0;
}

/** The level that a log line begins with, such as "WARN: low water"; "info" when it names none. */
export function levelOf(line: string): Level {
  const name = /^\[?([A-Za-z]+)\]?:/.exec(line)?.[1]?.toLowerCase() ?? "";
  return weightOf(name) > 0 ? (name as Level) : "info";
}
