"""Makes a bare `assert` of a hidden test say what it compared."""

from __future__ import annotations

import ast

MYPY = False
if MYPY:
    from types import CodeType

EXPLAIN = "__explain__"
LEFT, RIGHT = "__left__", "__right__"
LONGEST_VALUE = 400
SIGNS = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Is: "is",
    ast.IsNot: "is not",
    ast.In: "in",
    ast.NotIn: "not in",
}


def compiled(source: str, path: str) -> CodeType:
    """The test file's code; its namespace needs `explain` under the name EXPLAIN."""
    tree = ast.fix_missing_locations(_Explained().visit(ast.parse(source, path)))
    return compile(tree, path, "exec", dont_inherit=True)


def explain(sign: str, *values: object) -> str:
    """The values that made an assertion fail."""
    shown = [_short(repr(value)) for value in values]
    return "{} {} {}".format(shown[0], sign, shown[1]) if sign else "not true: " + shown[0]


def _short(text: str) -> str:
    if len(text) <= LONGEST_VALUE:
        return text
    half = LONGEST_VALUE // 2
    return "{} [... {} more ...] {}".format(text[:half], len(text) - LONGEST_VALUE, text[-half:])


class _Explained(ast.NodeTransformer):
    def visit_Assert(self, node: ast.Assert) -> list[ast.stmt]:
        if node.msg is not None:
            return [node]
        test = node.test
        if not isinstance(test, ast.Compare) or len(test.ops) != 1:
            return [self._set(node, LEFT, test), self._check(node, "", ast.Name(LEFT, ast.Load()))]
        left, right = ast.Name(LEFT, ast.Load()), ast.Name(RIGHT, ast.Load())
        same = ast.Compare(left, test.ops, [right])
        sign = SIGNS[type(test.ops[0])]
        return [
            self._set(node, LEFT, test.left),
            self._set(node, RIGHT, test.comparators[0]),
            self._check(node, sign, same),
        ]

    @staticmethod
    def _set(node: ast.Assert, name: str, value: ast.expr) -> ast.stmt:
        return ast.copy_location(ast.Assign([ast.Name(name, ast.Store())], value), node)

    @staticmethod
    def _check(node: ast.Assert, sign: str, test: ast.expr) -> ast.stmt:
        names = (LEFT, RIGHT) if sign else (LEFT,)
        values: list[ast.expr] = [ast.Name(name, ast.Load()) for name in names]
        said = ast.Call(ast.Name(EXPLAIN, ast.Load()), [ast.Constant(sign), *values], [])
        return ast.copy_location(ast.Assert(test, said), node)
