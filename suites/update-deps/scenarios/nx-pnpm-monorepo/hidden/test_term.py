"""What @quayside/term exports, on @xterm 5."""

from typing import Any

from workspace import drive

USES = [("term", "@xterm/headless", "5")]
ESC, BEL = "\x1b", "\x07"

SCREEN = """
import term from "./libs/term/dist/index.js";
export default async (options, output, raw) => {
  const screen = new term.Screen(options);
  for (const part of output) await screen.draw(raw ? Uint8Array.from(Buffer.from(part, "base64")) : part);
  return [screen.lines(), screen.tabWidth];
};
"""
FAILURES = """
import term from "./libs/term/dist/index.js";
export default (recording, ...rest) => term.failures(recording, ...rest);
"""
OPTIONS = """
import term from "./libs/term/dist/index.js";
export default () => {
  const first = term.consoleOptions();
  first.theme.background = "changed";
  return term.consoleOptions();
};
"""


def done(code: int) -> str:
    return f"{ESC}]133;D;{code}{BEL}"


def screen(options: dict[str, int], *output: str, raw: bool = False) -> Any:
    return drive(SCREEN, options, list(output), raw, uses=USES)


def test_a_screen_draws_like_a_terminal() -> None:
    lines, tab_width = screen(
        {"cols": 12, "rows": 4}, f"10%\r99%\n{ESC}[31mred", f"{ESC}[0m\n\ta\n", "wrapped around here"
    )
    assert lines == ["99%", "red", "        a", "wrapped arou", "nd here"]
    assert tab_width == 8


def test_a_screen_keeps_so_many_lines() -> None:
    text = "".join(f"line {number}\n" for number in range(20))
    lines, _width = screen({"cols": 20, "rows": 3, "scrollback": 4}, text)
    assert lines == [f"line {number}" for number in range(14, 20)]
    lines, _width = screen({"cols": 20, "rows": 3}, text)
    assert len(lines) == 20


def test_raw_bytes_may_be_cut_anywhere() -> None:
    lines, _width = screen({"cols": 20, "rows": 3}, "w6bDuA==", "w6UKw6U=", raw=True)
    assert lines == ["æøå", "å"]


def test_failed_commands_are_found() -> None:
    recording = f"$ true\n{done(0)}$ make\nno rule\n{done(2)}$ ls\n{done(0)}$ exit 7\n{done(7)}"
    assert drive(FAILURES, recording, uses=USES) == [
        {"exitCode": 2, "line": 3},
        {"exitCode": 7, "line": 5},
    ]


def test_failures_are_found_far_up_and_on_wrapped_lines() -> None:
    recording = done(1) + "abcdefghij" * 3 + "\n" + done(3) + "x\n" * 200 + done(4)
    assert drive(FAILURES, recording, 10, uses=USES) == [
        {"exitCode": 1, "line": 0},
        {"exitCode": 3, "line": 3},
        {"exitCode": 4, "line": 203},
    ]


def test_the_console_keeps_its_size_and_feel() -> None:
    options = drive(OPTIONS, uses=[*USES, ("app", "@xterm/xterm", "5")])
    found = {name: options.get(name) for name in ("cols", "rows", "scrollback", "disableStdin")}
    assert found == {"cols": 120, "rows": 30, "scrollback": 5000, "disableStdin": True}


def test_all_colours_reach_the_console_under_names_that_it_knows() -> None:
    theme = drive(OPTIONS, uses=[*USES, ("app", "@xterm/xterm", "5")])["theme"]
    assert {name: value for name, value in theme.items() if name != "selection"} == {
        "background": "#0b1d2a",
        "foreground": "#d7e3ea",
        "cursor": "#ffb454",
        "selectionBackground": "#2f5d7c80",
        "red": "#ff6b6b",
        "brightRed": "#ff9d9d",
    }
