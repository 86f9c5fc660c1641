"""Growth as a picture: processor time by stored runs, both axes logarithmic."""

from __future__ import annotations

import math
from statistics import median

from figures import Growth

WIDTH, HEIGHT = 640, 300
LEFT, RIGHT, TOP, BOTTOM = 70, 200, 20, 40
COLOURS = ("#4269d0", "#efb118", "#ff725c")
GREY = "#888"


def drawn(growth: Growth) -> str:
    """An SVG that reads on light and on dark pages."""
    names = [name for name, _ in growth.sizes[0].cpu_s]
    lines = {
        name: [(size.runs, median(dict(size.cpu_s)[name])) for size in growth.sizes]
        for name in names
    }
    seconds = [y for line in lines.values() for _, y in line]
    runs = [size.runs for size in growth.sizes]
    low, high = math.floor(math.log10(min(seconds))), math.ceil(math.log10(max(seconds)))

    def x(value: float) -> float:
        share = math.log10(value / runs[0]) / math.log10(runs[-1] / runs[0])
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def y(value: float) -> float:
        return HEIGHT - BOTTOM - (math.log10(value) - low) / (high - low) * (HEIGHT - TOP - BOTTOM)

    parts = [_text(x(n), HEIGHT - 18, f"{n:,}", "middle") for n in runs]
    for power in range(low, high + 1):
        at = y(10**power)
        parts.append(_line([(LEFT, at), (WIDTH - RIGHT, at)], GREY, 'stroke-opacity="0.35"'))
        parts.append(_text(LEFT - 8, at + 4, f"{10**power:g} s", "end"))
    first = min(line[0][1] for line in lines.values())
    end = min(runs[-1], runs[0] * 10**high / first)
    linear = [(x(runs[0]), y(first)), (x(end), y(first * end / runs[0]))]
    parts.append(_line(linear, GREY, 'stroke-dasharray="4 4"'))
    for line, colour in zip(lines.values(), COLOURS, strict=True):
        parts.append(_line([(x(a), y(b)) for a, b in line], colour, 'stroke-width="2"'))
        parts += [
            f'<circle cx="{x(a):.1f}" cy="{y(b):.1f}" r="3" fill="{colour}"/>' for a, b in line
        ]
    # the names stand in the order of the ends of their lines, and not on each other
    ends = sorted(
        zip(lines.values(), names, COLOURS, strict=True), key=lambda each: y(each[0][-1][1])
    )
    free = 0.0
    for line, name, colour in ends:
        free = max(free + 16, y(line[-1][1]) + 4)
        parts.append(_text(WIDTH - RIGHT + 10, free, name, "start", colour))
    parts.append(_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 3, "stored runs", "middle"))
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"'
        ' aria-label="processor time by stored runs" font-family="sans-serif" font-size="12">\n'
        f"{body}\n</svg>\n"
    )


def _line(points: list[tuple[float, float]], colour: str, more: str) -> str:
    at = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{at}" fill="none" stroke="{colour}" {more}/>'


def _text(x: float, y: float, words: str, anchor: str, colour: str = GREY) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{words}</text>'
