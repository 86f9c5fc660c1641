"""The page of @quayside/app and what was bundled for it."""

from typing import Any

from grading import cases, read
from workspace import drive

REACT = [("app", "react", "18"), ("app", "@types/react", "18")]
XTERM = [("app", "@xterm/xterm", "5")]
ASSETS = "apps/app/dist/public"

PAGE = """
import app from "./apps/app/dist/index.js";
export default (job) => app.renderPage(job);
"""
ZOOM = """
import app from "./apps/app/dist/index.js";
export default (before, steps) => {
  const terminal = { options: { fontSize: before } };
  return [app.zoom(terminal, steps), terminal.options.fontSize];
};
"""


def test_a_page_is_as_it_was() -> None:
    job = {"name": "Deploy & go", "elapsedMs": 3_725_000, "lines": ["INFO: a", "ERROR: <b>"]}
    assert drive(PAGE, job, uses=REACT) == (
        '<!doctype html><html lang="en"><head><title>Deploy &amp; go</title>'
        '<link rel="stylesheet" href="/assets/xterm.css"/>'
        '<link rel="preload" as="script" href="/assets/terminal.js"/></head>'
        '<body><section class="panel alarm"><h2>Deploy &amp; go</h2><p>1 h 02 m 05 s</p>'
        '<div id="console">INFO: a\nERROR: &lt;b&gt;</div></section>'
        '<script src="/assets/main.js"></script></body></html>'
    )


@cases([[14, 2, 16], [31, 5, 32], [9, -4, 8]])
def test_the_console_can_be_zoomed(case: list[Any]) -> None:
    before, steps, after = case
    assert drive(ZOOM, before, steps, uses=XTERM) == [after, after]


def test_the_terminal_is_bundled_on_its_own() -> None:
    drive(PAGE, {"name": "", "elapsedMs": 0, "lines": []}, uses=XTERM)
    main, terminal = read(f"{ASSETS}/main.js"), read(f"{ASSETS}/terminal.js")
    assert "xterm-helper-textarea" in terminal
    assert "xterm-helper-textarea" not in main


def test_the_styles_of_the_new_terminal_are_beside_it() -> None:
    drive(PAGE, {"name": "", "elapsedMs": 0, "lines": []}, uses=XTERM)
    assert ".xterm-decoration-overview-ruler" in read(f"{ASSETS}/xterm.css")
