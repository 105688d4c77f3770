"""A report as a picture: what it plots, by period, as lines in SVG. Pure.

Columns of one kind share a panel and its axis, since points and money cannot. A report whose rows are by something
beside the period has a line for each of these. Where there is no number, the line has a gap. Nothing in it is a script
or loaded from anywhere; what it shows is said in its description, and beside each point.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from html import escape
from itertools import groupby
from typing import Any

from loyalty.kpis.domain import Column, Kind, Report, Row
from loyalty.kpis.scale import Scale, scale_of
from loyalty.kpis.writing import cell, day, heading, scaled, tick, unit

WIDTH, PANEL, TOP, LEFT, RIGHT, LEGEND_ROW = 860, 220, 64, 84, 16, 20
# Room of a panel for what stands above and below it.
ABOVE, BELOW = 22, 36
LABELS_MAX = 12
# More lines than there are colours tell nobody anything: the largest are shown.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f7f7f", "#8c6d31")
_LEGEND_COLUMNS = 3
# So much of a name fits beside its line in the legend.
NAME_MAX = 36
# So many points are still told apart.
LARGE_POINTS_MAX = 120

Document = Mapping[str, Any]

_OPEN = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="100%" role="img"'
    ' aria-labelledby="picture-title picture-text" font-family="system-ui, sans-serif" font-size="12">'
)
# Alone, a picture brings its own paper; in a page it has that of the page.
_PAPER = (
    "<style>svg{color:#1b1b1b;background:#fff}"
    "@media (prefers-color-scheme:dark){svg{color:#e8e8e8;background:#16181c}}</style>"
)


@dataclass(frozen=True, slots=True)
class Line:
    """One line: what it is called, what its values are, one for each period, and its colour."""

    name: str
    kind: Kind
    values: tuple[float | None, ...]
    colour: str


def picture(report: Report, document: Document, *, alone: bool = True) -> str:
    """The picture of what a report said. `alone`: it is a file of its own, and no part of a page."""
    labels = list(dict.fromkeys(row["period"] for row in document["data"]))
    lines = _lines(report, document, labels)
    panels = [list(group) for _, group in groupby(sorted(lines, key=lambda line: line.kind), lambda line: line.kind)]
    rows = -(-len(lines) // _LEGEND_COLUMNS)
    top = TOP + rows * LEGEND_ROW
    height = top + max(len(panels), 1) * (ABOVE + PANEL + BELOW)
    title = f"{report.title}: {document['program']}"
    parts = [
        _OPEN.format(width=WIDTH, height=height),
        f'<title id="picture-title">{escape(title)}</title>',
        f'<desc id="picture-text">{escape(described(report, document))}</desc>',
        _PAPER if alone else "",
        _text(LEFT, 24, title, style=' font-size="16" font-weight="bold"'),
        _text(LEFT, 44, _span(document)),
        *_legend(lines),
    ]
    for number, panel in enumerate(panels):
        parts += _panel(panel, labels, document["currency"], top + number * (ABOVE + PANEL + BELOW) + ABOVE)
    if not panels:
        parts.append(_text(LEFT, top + ABOVE, "There is nothing to show."))
    return "\n".join([*filter(None, parts), "</svg>\n"])


def described(report: Report, document: Document) -> str:
    """What the picture shows, in words."""
    labels = list(dict.fromkeys(row["period"] for row in document["data"]))
    said = []
    for line in _lines(report, document, labels):
        found = [(value, label) for value, label in zip(line.values, labels, strict=True) if value is not None]
        if found:
            (least, then), (most, when) = min(found), max(found)
            low, high = (cell(each, line.kind, document["currency"]) for each in (least, most))
            said.append(f"{line.name}: between {low} ({then}) and {high} ({when}).")
    return " ".join([f"By {document['granularity']}, {_span(document)}.", *said])


def _lines(report: Report, document: Document, labels: Sequence[str]) -> list[Line]:
    """The lines, each with a value for every period."""
    columns = {column.name: column for column in report.columns}
    keys = _keys(report, document["data"])
    places = {label: place for place, label in enumerate(labels)}
    found: dict[tuple[str, str], list[float | None]] = {}
    for name in report.plot:
        for row in document["data"]:
            key = ", ".join(_told(each, row[each.name]) for each in keys if row[each.name] is not None)
            values = found.setdefault((name, key), [None] * len(labels))
            values[places[row["period"]]] = row[name]
    shown = [(at, values) for at, values in found.items() if any(value is not None for value in values)]
    if len(shown) > len(COLOURS):
        shown = sorted(shown, key=lambda each: -sum(abs(value or 0) for value in each[1]))[: len(COLOURS)]
    return [
        Line(_called(columns[name], key, alone=len(report.plot) == 1), columns[name].kind, tuple(values), colour)
        for ((name, key), values), colour in zip(shown, COLOURS, strict=False)
    ]


def _keys(report: Report, rows: Sequence[Row]) -> list[Column]:
    """What rows are by beside the period: the texts; and the first number, if these leave rows that are the same."""
    keys = [column for column in report.columns if column.kind == "text"]
    first = report.columns[0]
    if first not in keys and len({(row["period"], *(row[key.name] for key in keys)) for row in rows}) < len(rows):
        keys.append(first)
    return keys


def _told(column: Column, value: Any) -> str:
    return str(value) if column.kind == "text" else f"{column.name.replace('_', ' ')} {value}"


def _called(column: Column, key: str, *, alone: bool) -> str:
    if not key:
        return heading(column.name)
    return f"{key} ({heading(column.name).lower()})" if alone else f"{heading(column.name)}: {key}"


def _span(document: Document) -> str:
    narrowed = "".join(f", {name} {key}" for name, key in document["filters"].items())
    return f"{day(document['from'])} to {day(document['to'] - timedelta(days=1))}{narrowed}"


def _legend(lines: Sequence[Line]) -> Iterator[str]:
    wide = (WIDTH - LEFT - RIGHT) // _LEGEND_COLUMNS
    for number, line in enumerate(lines):
        x, y = LEFT + number % _LEGEND_COLUMNS * wide, TOP + number // _LEGEND_COLUMNS * LEGEND_ROW
        yield f'<path d="M{x} {y - 4}h18" stroke="{line.colour}" stroke-width="3"/>'
        yield _text(x + 24, y, line.name if len(line.name) <= NAME_MAX else f"{line.name[: NAME_MAX - 1]}…")


def _panel(lines: Sequence[Line], labels: Sequence[str], currency: str, top: int) -> Iterator[str]:
    """One axis, and the lines that belong to it."""
    kind = lines[0].kind
    values = [[None if v is None else scaled(v, kind, currency) for v in line.values] for line in lines]
    numbers = [value for each in values for value in each if value is not None]
    scale = scale_of(min(numbers), max(numbers), whole=kind in ("count", "points"))
    yield from _grid(scale, unit(kind, currency), top)
    wide = WIDTH - LEFT - RIGHT
    places = [LEFT + wide * (number + 0.5) / len(labels) for number in range(len(labels))]
    yield from _labels(labels, places, top + PANEL + 18)
    radius = 3 if len(labels) <= LARGE_POINTS_MAX else 1.5
    for line, heights in zip(lines, values, strict=True):
        points = [
            None if value is None else (round(x, 1), round(top + PANEL * (1 - scale.share(value)), 1))
            for x, value in zip(places, heights, strict=True)
        ]
        yield f'<path d="{_path(points)}" fill="none" stroke="{line.colour}" stroke-width="2"/>'
        for point, label, value in zip(points, labels, line.values, strict=True):
            if point is not None:
                said = escape(f"{line.name}, {label}: {cell(value, kind, currency)}")
                place = f'cx="{point[0]}" cy="{point[1]}" r="{radius}"'
                yield f'<circle {place} fill="{line.colour}"><title>{said}</title></circle>'


def _grid(scale: Scale, name: str, top: int) -> Iterator[str]:
    for each in scale.ticks:
        y = round(top + PANEL * (1 - scale.share(each)), 1)
        opacity = "0.6" if each == 0 else "0.15"
        yield f'<path d="M{LEFT} {y}H{WIDTH - RIGHT}" stroke="currentColor" stroke-opacity="{opacity}"/>'
        yield _text(LEFT - 8, y + 4, tick(each, scale.step), anchor="end")
    if name:
        yield _text(LEFT - 8, top - 10, name, anchor="end")


def _labels(labels: Sequence[str], places: Sequence[float], y: int) -> Iterator[str]:
    every = -(-len(labels) // LABELS_MAX)
    for number in range(0, len(labels), every):
        yield _text(round(places[number], 1), y, labels[number], anchor="middle")


def _path(points: Sequence[tuple[float, float] | None]) -> str:
    """Through all points; what has no number breaks it."""
    drawn, is_down = [], False
    for point in points:
        if point is not None:
            drawn.append(f"{'L' if is_down else 'M'}{point[0]} {point[1]}")
        is_down = point is not None
    return "".join(drawn)


def _text(x: float, y: float, text: str, *, anchor: str = "start", style: str = "") -> str:
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}" fill="currentColor"{style}>{escape(text)}</text>'
