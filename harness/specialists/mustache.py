"""Prompts filled in by mustache; the only home of the library.

Double braces that hold no name are text, because prompts quote code: `${{ x }}`, `{{a: 1}}`. Single
braces always are.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import pystache  # type: ignore[import-untyped]  # it has no types
from pystache.common import TemplateNotFoundError  # type: ignore[import-untyped]  # as above
from pystache.context import KeyNotFoundError  # type: ignore[import-untyped]  # as above
from pystache.parser import ParsingError  # type: ignore[import-untyped]  # as above

from harness.errors import NEAREST_CUTOFF, nearest

Value = str | Sequence[str] | Mapping[str, "Value"]

MOST_PROBLEMS = 20
MOST_CHARS = 16_000_000
"""Of what sections repeat: each round through a list counts as long as the whole text."""
BRACE = re.compile(r"(?<![${])\{(?P<name>[A-Za-z_]\w*)\}(?!\})")
"""What the original's templates mark with: the request's own words, which nobody fills in."""

_TAG = re.compile(r"\{\{(?:\{\s*[\w.\-]+\s*\}\}\}|[#/^&>]?\s*[\w.\-]+\s*\}\}|!.*?\}\})", re.DOTALL)
_MARKS = re.compile(rf"(?P<tag>(?<!\$){_TAG.pattern})|\{{\{{", re.DOTALL)
_TEXT = "\ue000\ue001"
"""Stands for braces that are text while the library looks for tags."""


class Filled(NamedTuple):
    """A text, and what could not be filled in."""

    text: str
    problems: tuple[str, ...] = ()


class _Names(dict[str, Any]):
    """A mapping that has no text of its own."""

    def __str__(self) -> str:
        raise _NoTextError


class _Listed(list[str]):
    """A list that reads as one where no section goes through it, and ends too many sections."""

    def __init__(self, items: Iterable[str], rounds: Iterator[int]) -> None:
        super().__init__(items)
        self._rounds = rounds

    def __str__(self) -> str:
        return ", ".join(self)

    def __iter__(self) -> Iterator[str]:
        for item in super().__iter__():
            if next(self._rounds, None) is None:
                raise _EndlessError
            yield item


# the library takes names for attributes, and calls what it finds, of all that is not built in
_Listed.__module__ = "builtins"


class _NoTextError(Exception):
    pass


class _EndlessError(Exception):
    pass


def fill(text: str, values: Mapping[str, Value]) -> Filled:
    """The text with every tag filled in; a name that `values` lacks is a problem, never empty."""
    safe = text if "{{=" in text else _guarded(text)
    renderer = pystache.Renderer(escape=str, missing_tags="strict", partials={})
    context = _context(values, iter(range(MOST_CHARS // max(len(text), 1))))
    problems: list[str] = []
    while len(problems) < MOST_PROBLEMS:
        try:
            parsed = pystache.parse(safe, raise_on_mismatch=True)
            filled = str(renderer.render(parsed, context))
        except KeyNotFoundError as missing:
            problems.append(f"nothing fills {{{{{missing.key}}}}}; {_near(missing.key, values)}")
            without = _without(safe, str(missing.key))
            if without == safe:
                break
            safe = without
        except TemplateNotFoundError:
            problems.append("{{> … }} is not supported: there are no other texts; write it out")
            break
        except ParsingError as error:
            problems.append(str(error))
            break
        except (IndexError, RecursionError):
            problems.append("{{=…=}} without two marks, or sections too deep in each other")
            break
        except _EndlessError:
            problems.append("sections that go through lists, one in another, say far too much")
            break
        except _NoTextError:
            problems.append("{{.}}, or a name of something with parts, has no text of its own")
            break
        else:
            return Filled("" if problems else filled.replace(_TEXT, "{{"), tuple(problems))
    return Filled("", tuple(problems))


def unfilled(text: str) -> tuple[str, ...]:
    """The names in single braces that a text holds."""
    return tuple(dict.fromkeys(found["name"] for found in BRACE.finditer(text)))


def _guarded(text: str) -> str:
    """The text with the braces marked that are none of a tag; tags are passed over whole."""
    # behind the last closing braces nothing can be one: nobody looks for its end there
    last = text.rfind("}}") + 2 if "}}" in text else 0
    tags = _MARKS.sub(lambda found: found["tag"] or _TEXT, text[:last])
    return tags + text[last:].replace("{{", _TEXT)


def _context(value: Value, rounds: Iterator[int]) -> Any:  # noqa: ANN401  # the library's lookup
    if isinstance(value, Mapping):
        return _Names({key: _context(item, rounds) for key, item in value.items()})
    return value if isinstance(value, str) else _Listed(value, rounds)


def _without(text: str, name: str) -> str:
    return re.sub(rf"\{{\{{\{{?[#/^&]?\s*{re.escape(name)}\s*\}}\}}\}}?", "", text)


def _near(name: str, values: Mapping[str, Value]) -> str:
    names = _names(values)
    meant = next((each for each in names if each.endswith(f".{name}")), name)
    if difflib.get_close_matches(meant, names, n=1, cutoff=NEAREST_CUTOFF):
        return nearest(meant, names)
    return nearest(name, [f"{k}.…" if isinstance(v, Mapping) else k for k, v in values.items()])


def _names(values: Mapping[str, Value], prefix: str = "") -> list[str]:
    names = []
    for key, value in values.items():
        if isinstance(value, Mapping):
            names += _names(value, f"{prefix}{key}.")
        else:
            names.append(f"{prefix}{key}")
    return names
