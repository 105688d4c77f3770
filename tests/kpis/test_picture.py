"""A report as a picture: a point for each number, a gap where there is none, and words for who cannot see it."""

import re
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.kpis.domain import Column
from loyalty.kpis.picture import COLOURS, picture
from loyalty.kpis.scale import scale_of
from tests.kpis.shown import COLUMNS, a_report, said

SVG = "{http://www.w3.org/2000/svg}"


def drawn(report, document, **how) -> ET.Element:
    """The picture, which is sound XML."""
    return ET.fromstring(picture(report, document, **how))


def points(svg: ET.Element) -> list[str]:
    """What is said of each point."""
    return [circle.findtext(f"{SVG}title") for circle in svg.iter(f"{SVG}circle")]


def paths(svg: ET.Element) -> list[str]:
    """The lines that are drawn through points."""
    return [path.get("d") for path in svg.iter(f"{SVG}path") if path.get("fill") == "none"]


def texts(svg: ET.Element) -> list[str]:
    """All that is written."""
    return [text.text for text in svg.iter(f"{SVG}text")]


def test_each_number_that_is_plotted_is_a_point_with_its_period_and_value():
    svg = drawn(a_report(), said({"orders": 3, "revenue": 123_456}, {"orders": 1_200, "revenue": 99}))

    assert points(svg) == [
        "Orders, 2026-01: 3", "Orders, 2026-02: 1,200", "Revenue, 2026-01: €1,234.56", "Revenue, 2026-02: €0.99",
    ]  # fmt: skip


def test_where_there_is_no_number_the_line_has_a_gap():
    shares = [0.5, 0.25, None, 0.125, 0.25]
    svg = drawn(a_report(plot=("repeat_share",)), said(*({"repeat_share": each} for each in shares)))

    assert len(points(svg)) == 4
    (path,) = paths(svg)
    assert re.sub(r"[^ML]", "", path) == "MLML"


def test_zero_is_no_gap():
    svg = drawn(a_report(plot=("orders",)), said({"orders": 5}, {"orders": 0}, {"orders": 5}))
    assert re.sub(r"[^ML]", "", paths(svg)[0]) == "MLL"


def test_columns_of_different_kinds_have_an_axis_each():
    svg = drawn(a_report(), said({"orders": 3, "revenue": 100}))
    assert "EUR" in texts(svg)

    alone = drawn(a_report(plot=("orders",)), said({"orders": 3}))
    assert "EUR" not in texts(alone)
    assert height(alone) < height(svg)


def height(svg: ET.Element) -> int:
    """How high a picture is."""
    return int(svg.get("viewBox").split()[3])


def test_what_is_more_stands_higher():
    svg = drawn(a_report(plot=("orders",)), said({"orders": 1}, {"orders": 2}, {"orders": -1}))
    one, two, below = (float(circle.get("cy")) for circle in svg.iter(f"{SVG}circle"))
    assert two < one < below


def test_rows_by_something_beside_the_period_have_a_line_each():
    report = a_report(columns=(Column("tier", "text", "Which."), *COLUMNS), plot=("orders",))
    document = said({"tier": "gold", "orders": 1}, {"tier": "gold", "orders": 2})
    document["data"] += [{**row, "tier": "silver", "orders": 5} for row in document["data"]]

    svg = drawn(report, document)

    assert len(paths(svg)) == 2
    assert {"gold (orders)", "silver (orders)"} <= set(texts(svg))


def test_rows_by_a_number_have_a_line_each_too():
    report = a_report(columns=(Column("age", "count", "How old."), *COLUMNS), plot=("orders",))
    document = said({"age": 0, "orders": 4}, {"age": 0, "orders": 6})
    document["data"] += [{**row, "age": 1, "orders": row["orders"] - 3} for row in document["data"]]

    svg = drawn(report, document)

    assert {"age 0 (orders)", "age 1 (orders)"} <= set(texts(svg))
    assert len(points(svg)) == 4


def test_of_more_lines_than_there_are_colours_the_largest_are_shown():
    report = a_report(columns=(Column("tier", "text", "Which."), *COLUMNS), plot=("orders",))
    document = said({"tier": "t0", "orders": 1})
    document["data"] = [{**document["data"][0], "tier": f"t{n}", "orders": n} for n in range(20)]

    svg = drawn(report, document)

    assert len(paths(svg)) == len(COLOURS)
    assert "t19 (orders)" in texts(svg)
    assert "t2 (orders)" not in texts(svg)


def test_it_says_in_words_what_it_shows():
    svg = drawn(a_report(), said({"orders": 3}, {"orders": 7}, filters={"tier": "gold"}))

    assert svg.get("role") == "img"
    assert svg.findtext(f"{SVG}title") == "Sales: demo"
    told = svg.findtext(f"{SVG}desc")
    assert told.startswith("By month, 1 Jan 2026 to 28 Feb 2026, tier gold.")
    assert "Orders: between 3 (2026-01) and 7 (2026-02)." in told


def test_what_others_wrote_is_text_and_nothing_else():
    evil = '"><script>alert(1)</script>&'
    svg = drawn(a_report(), said({"orders": 1}, program=evil, filters={"channel": evil}))

    assert not list(svg.iter(f"{SVG}script"))
    assert svg.findtext(f"{SVG}title") == f"Sales: {evil}"


def test_it_runs_no_script_and_loads_nothing():
    text = picture(a_report(), said({"orders": 1}))
    assert not re.search(r"<script|href|url\(|on\w+=|@import", text)


@pytest.mark.parametrize("rows", [(), ({"orders": None, "revenue": None},)])
def test_nothing_to_show_is_said(rows):
    assert "There is nothing to show." in texts(drawn(a_report(), said(*rows)))


def test_of_many_periods_a_dozen_are_named():
    document = said({"orders": 1})
    document["data"] = [{**document["data"][0], "period": f"day {number}"} for number in range(365)]

    svg = drawn(a_report(plot=("orders",)), document)

    assert len(points(svg)) == 365
    assert len([text for text in texts(svg) if text.startswith("day ")]) <= 12


def test_an_axis_goes_from_zero_in_round_steps():
    assert scale_of(3, 97).ticks == (0, 20, 40, 60, 80, 100)
    assert scale_of(0, 0.42).ticks == (0, 0.1, 0.2, 0.3, 0.4, 0.5)
    assert scale_of(-12, 30).ticks == (-20, -10, 0, 10, 20, 30)
    assert scale_of(0, 2, whole=True).ticks == (0, 1, 2)
    assert scale_of(0, 0).ticks[0] == 0


@given(st.floats(-1e12, 1e12), st.floats(-1e12, 1e12), st.booleans())
def test_every_value_lies_on_its_axis(one, other, whole):
    scale = scale_of(min(one, other), max(one, other), whole=whole)
    assert all(-1e-6 <= scale.share(each) <= 1 + 1e-6 for each in (one, other, 0.0))
    assert 2 <= len(scale.ticks) <= 8
