import { Terminal } from "@xterm/headless";

export interface ScreenOptions {
  cols?: number;
  rows?: number;
  /** Lines that are kept above the visible ones. */
  scrollback?: number;
}

/** What a job's output looks like once a terminal has drawn it; bare line feeds begin new lines. */
export class Screen {
  private readonly terminal: Terminal;

  constructor({ cols = 80, rows = 24, scrollback = 500 }: ScreenOptions = {}) {
    this.terminal = new Terminal({ cols, rows, scrollback, convertEol: true, allowProposedApi: true });
  }

  /** Draw text or raw UTF-8; resolves when it is on the screen. */
  draw(output: string | Uint8Array): Promise<void> {
    return new Promise((resolve) => this.terminal.write(output, resolve));
  }

  /** Every line that is still there, oldest first, without blanks at the ends. */
  lines(): string[] {
    const buffer = this.terminal.buffer.active;
    const lines = Array.from({ length: buffer.length }, (_, y) => buffer.getLine(y)?.translateToString(true) ?? "");
    while (lines.length > 0 && lines[lines.length - 1] === "") lines.pop();
    return lines;
  }

  /** The width of a tab. */
  get tabWidth(): number {
    return this.terminal.options.tabStopWidth ?? 8;
  }
}
