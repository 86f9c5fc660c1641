import { consoleOptions } from "@quayside/term/options";
import type { Terminal } from "@xterm/xterm";

const DEFAULT_SIZE = 15;

/** Replace an element's text by a terminal that shows it. */
export async function openConsole(element: HTMLElement): Promise<Terminal> {
  const { Terminal } = await import("@xterm/xterm");
  const text = element.textContent ?? "";
  const terminal = new Terminal(consoleOptions());
  element.textContent = "";
  terminal.open(element);
  terminal.write(text.replaceAll("\n", "\r\n"));
  return terminal;
}

/** Make the letters of a console larger or smaller, between 8 and 32 pixels; the new size. */
export function zoom(terminal: Terminal, steps: number): number {
  const size = Math.min(32, Math.max(8, (terminal.options.fontSize ?? DEFAULT_SIZE) + steps));
  terminal.options.fontSize = size;
  return size;
}
