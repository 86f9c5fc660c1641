"""Enough of npm's version ranges to ask whether one lets a release in."""

import re

Version = tuple[int, int, int]


def parse(version: str) -> Version:
    """A plain release."""
    major, minor, patch = (int(part) for part in version.split("."))
    return major, minor, patch


def admits(ranges: str, version: str) -> bool:
    """Whether any alternative of the range lets the release in."""
    return any(_fits(alternative, parse(version)) for alternative in ranges.split("||"))


def _fits(alternative: str, version: Version) -> bool:
    text = re.sub(r"^\s*(\S+)\s+-\s+(\S+)\s*$", r">=\1 <=\2", alternative)
    text = re.sub(r"(\^|~>?|[<>]=?|=)\s+", r"\1", text)
    return all(_holds(word, version) for word in text.split())


def _holds(word: str, version: Version) -> bool:
    found = re.fullmatch(r"(\^|~>?|[<>]=?|=)?v?([\dxX*]+(?:\.[\dxX*]+){0,2})(?:[-+].*)?", word)
    assert found, f"not a version range: {word!r}"
    sign, given = found[1] or "=", _parts(found[2])
    low = tuple((given + [0, 0, 0])[:3])
    if sign == ">=":
        return version >= low
    if sign == "<":
        return version < low
    if sign == ">":
        return version >= _after(given)
    if sign == "<=":
        return version < _after(given)
    return low <= version < _end(sign, given)


def _parts(text: str) -> list[int]:
    """The numbers before the first placeholder."""
    parts = []
    for part in text.split("."):
        if not part.isdigit():
            break
        parts.append(int(part))
    return parts


def _after(parts: list[int]) -> tuple[int, ...]:
    """The first release after all that begin with these numbers."""
    if not parts:
        return (10**9, 0, 0)
    return tuple(([*parts[:-1], parts[-1] + 1] + [0, 0])[:3])


def _end(sign: str, parts: list[int]) -> tuple[int, ...]:
    if sign == "^":
        kept = next((i + 1 for i, part in enumerate(parts) if part > 0), len(parts))
        return _after(parts[:kept])
    return _after(parts[: 2 if sign.startswith("~") else 3])
