"""What @quayside/util exports, compiled by TypeScript 5.5 or later."""

from workspace import drive

USES = [("util", "typescript", "5"), ("util", "@types/node", "18")]

LEVELS = """
import util from "./libs/util/dist/index.js";
export default (lines) => lines.map((line) => [util.levelOf(line), util.weightOf(line)]);
"""
COPY = """
import util from "./libs/util/dist/index.js";
export default () => {
  const original = { at: new Date(86400000), tags: new Set(["a"]), nested: { list: [1] } };
  const copy = util.copyOf(original);
  copy.nested.list.push(2);
  return [copy.at instanceof Date, copy.at.getTime(), [...copy.tags], original.nested.list];
};
"""


def test_levels_are_found_by_any_name() -> None:
    lines = ["WARN: low water", "[Debug]: tide", "fatal: no", "error", "Info", ""]
    assert drive(LEVELS, lines, uses=USES) == [
        ["warn", 0],
        ["debug", 0],
        ["info", 0],
        ["info", 40],
        ["info", 20],
        ["info", 0],
    ]


def test_a_copy_keeps_dates_and_sets() -> None:
    assert drive(COPY, uses=USES) == [True, 86400000, ["a"], [1]]
