import { Terminal, type IMarker } from "@xterm/headless";

/** A command that ended badly: its exit code and the line on which its output ended. */
export interface Failure {
  exitCode: number;
  line: number;
}

// Shells mark the end of a command with OSC 133 ; D ; <exit code>.
const SHELL_MARK = 133;

/** The failed commands of a shell's recorded output, in order. */
export async function failures(recording: string, cols = 80): Promise<Failure[]> {
  const terminal = new Terminal({
    cols,
    rows: 24,
    scrollback: 100_000,
    convertEol: true,
    allowProposedApi: true,
  });
  const found: Array<{ exitCode: number; marker: IMarker }> = [];
  terminal.parser.registerOscHandler(SHELL_MARK, (data) => {
    const [kind, code] = data.split(";");
    const marker = kind === "D" && Number(code) > 0 ? terminal.registerMarker(0) : undefined;
    if (marker) found.push({ exitCode: Number(code), marker });
    return true;
  });
  await new Promise<void>((resolve) => terminal.write(recording, resolve));
  const result = found.map(({ exitCode, marker }) => ({ exitCode, line: marker.line }));
  terminal.dispose();
  return result;
}
