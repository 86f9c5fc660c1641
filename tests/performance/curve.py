"""Growth as pictures: panels of lines, both axes logarithmic."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median

from figures import Curve, Growth, Point

WIDTH, HEIGHT = 640, 250
LEFT, RIGHT, TOP, BOTTOM = 70, 200, 20, 46
COLOURS = ("#4269d0", "#efb118", "#ff725c")
GREY = "#888"

Panel = tuple[str, Sequence[Curve]]
"""What grows, and lines by what they show."""


def of_growth(growth: Growth) -> list[Panel]:
    """Stored runs, and cells."""
    names = [name for name, _ in growth.sizes[0].cpu_s]
    stored = [
        Curve(name, tuple(Point(size.runs, dict(size.cpu_s)[name]) for size in growth.sizes))
        for name in names
    ]
    return [("stored runs", stored), ("cells", [growth.batches])]


def of_curves(curves: Sequence[Curve]) -> list[Panel]:
    """A panel for each."""
    return [(curve.name, [Curve("a whole run", curve.points)]) for curve in curves]


def drawn(panels: Sequence[Panel], label: str) -> str:
    """An SVG that reads on light and on dark pages."""
    bodies = [
        f'<g transform="translate(0 {number * HEIGHT})">\n{_panel(name, curves)}\n</g>'
        for number, (name, curves) in enumerate(panels)
    ]
    body = "\n".join(bodies)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT * len(panels)}"'
        f' role="img" aria-label="{label}" font-family="sans-serif" font-size="12">\n'
        f"{body}\n</svg>\n"
    )


def _panel(name: str, curves: Sequence[Curve]) -> str:
    lines = {
        curve.name: [(point.size, median(point.seconds)) for point in curve.points]
        for curve in curves
    }
    seconds = [y for line in lines.values() for _, y in line]
    sizes = [size for size, _ in next(iter(lines.values()))]
    low, high = math.floor(math.log10(min(seconds))), math.ceil(math.log10(max(seconds)))

    def x(value: float) -> float:
        share = math.log10(value / sizes[0]) / math.log10(sizes[-1] / sizes[0])
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def y(value: float) -> float:
        return HEIGHT - BOTTOM - (math.log10(value) - low) / (high - low) * (HEIGHT - TOP - BOTTOM)

    parts = [_text(x(n), HEIGHT - 28, f"{n:,}", "middle") for n in sizes]
    for power in range(low, high + 1):
        at = y(10**power)
        parts.append(_line([(LEFT, at), (WIDTH - RIGHT, at)], GREY, 'stroke-opacity="0.35"'))
        parts.append(_text(LEFT - 8, at + 4, f"{10**power:g} s", "end"))
    first = min(line[0][1] for line in lines.values())
    end = min(sizes[-1], sizes[0] * 10**high / first)
    linear = [(x(sizes[0]), y(first)), (x(end), y(first * end / sizes[0]))]
    parts.append(_line(linear, GREY, 'stroke-dasharray="4 4"'))
    coloured = list(zip(lines.items(), COLOURS, strict=False))
    for (_, line), colour in coloured:
        parts.append(_line([(x(a), y(b)) for a, b in line], colour, 'stroke-width="2"'))
        parts += [
            f'<circle cx="{x(a):.1f}" cy="{y(b):.1f}" r="3" fill="{colour}"/>' for a, b in line
        ]
    # the names stand in the order of the ends of their lines, and not on each other
    free = 0.0
    for (shown, line), colour in sorted(coloured, key=lambda each: y(each[0][1][-1][1])):
        free = max(free + 16, y(line[-1][1]) + 4)
        parts.append(_text(WIDTH - RIGHT + 10, free, shown, "start", colour))
    parts.append(_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, name, "middle"))
    return "\n".join(parts)


def _line(points: list[tuple[float, float]], colour: str, more: str) -> str:
    at = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{at}" fill="none" stroke="{colour}" {more}/>'


def _text(x: float, y: float, words: str, anchor: str, colour: str = GREY) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{words}</text>'
