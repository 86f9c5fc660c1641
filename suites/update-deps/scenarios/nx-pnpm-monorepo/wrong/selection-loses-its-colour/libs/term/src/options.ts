import { copyOf } from "@quayside/util";
import type { ITerminalInitOnlyOptions, ITerminalOptions } from "@xterm/xterm";

import theme from "./theme.json";

/** What the terminal in the browser is constructed with: its size, its feel and all of our colours. */
export function consoleOptions(): ITerminalOptions & ITerminalInitOnlyOptions {
  return {
    cols: 120,
    rows: 30,
    scrollback: 5000,
    disableStdin: true,
    theme: copyOf(theme),
  };
}
