"""A report as a page for people: everything the report says, and nothing from anywhere else."""

import base64
import hashlib
import re
from datetime import date
from html.parser import HTMLParser

import pytest

from loyalty.kpis.catalogue import REPORTS
from loyalty.kpis.domain import Column, Report
from loyalty.kpis.page import HEADERS, page
from tests.kpis.life import a_program
from tests.kpis.shown import a_report, said

VALUES = {
    "text": "gold", "date": date(2026, 3, 1), "count": 1_234, "share": 0.25, "number": 2.5, "money": 123_456,
    "points": 5_000, "days": 12.25, "flag": True,
}  # fmt: skip


class Read(HTMLParser):
    """The tags of a page, which are closed in turn, and its text."""

    EMPTY = ("meta", "path", "circle")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.said: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in self.EMPTY:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.said.append(data.strip())

    @property
    def text(self) -> str:
        return "\n".join(self.said)


def read(text: str) -> Read:
    """A page, read to its end."""
    found = Read()
    found.feed(text)
    found.close()
    assert not found.open
    return found


def row_of(columns: tuple[Column, ...]) -> dict:
    return {column.name: VALUES[column.kind] for column in columns}


def document_of(report: Report, **more) -> dict:
    """What a report might say: the same of everything."""
    rows = said(row_of(report.columns), row_of(report.columns))["data"]
    program = a_program()
    known = {
        "data": rows, "totals": row_of(report.totals), "program": program.code,
        "sections": {name: [row_of(columns)] for name, columns in report.sections.items()},
    }  # fmt: skip
    return said({}, {}, **(known | more))


@pytest.mark.parametrize("report", REPORTS, ids=lambda report: report.name)
def test_the_page_of_each_report_says_all_its_figures_and_what_they_mean(report):
    found = read(page(report, document_of(report)))

    for column in (*report.columns, *report.totals, *(c for s in report.sections.values() for c in s)):
        assert column.definition in found.text
    assert report.summary in found.text
    assert "svg" in found.tags


@pytest.mark.parametrize("report", REPORTS, ids=lambda report: report.name)
def test_the_page_of_a_report_that_has_nothing_to_say(report):
    empty = document_of(
        report, data=[], totals=dict.fromkeys(row_of(report.totals)), sections={name: [] for name in report.sections}
    )
    assert "There is nothing to show." in read(page(report, empty)).text


def test_numbers_are_written_for_people():
    text = read(page(a_report(), document_of(a_report()))).text

    assert {"1,234", "€1,234.56", "25.0%"} <= set(text.splitlines())
    assert "1 Jan 2026 to 28 Feb 2026, by month, days of Europe/Helsinki" in text
    assert "as of 1 Jul 2026, 12:05 UTC" in text


def test_what_is_not_known_is_a_dash():
    document = document_of(a_report(), totals={"orders": None, "revenue": None, "repeat_share": None})
    assert "\N{EN DASH}" in read(page(a_report(), document)).text


def test_the_time_before_stands_beside():
    before = {
        "from": date(2025, 11, 1), "to": date(2026, 1, 1), "totals": row_of(a_report().totals),
        "change": {"orders": 0.125, "revenue": -0.5, "repeat_share": None},
    }  # fmt: skip
    text = read(page(a_report(), document_of(a_report(), previous=before))).text

    assert "1 Nov 2025 to 31 Dec 2025" in text
    assert {"+12.5%", "-50.0%"} <= set(text.splitlines())


def test_warnings_stand_above_the_figures():
    text = read(page(a_report(), document_of(a_report(), warnings=["This is no cause."]))).text
    assert text.index("This is no cause.") < text.index("In all")


def test_what_others_wrote_is_text_and_nothing_else():
    evil = '"><script>alert(1)</script><img src=x onerror=alert(1)>'
    report = a_report(columns=(Column("tier", "text", evil), *a_report().columns), title=evil, plot=("orders",))
    document = document_of(report, program=evil, filters={"channel": evil}, warnings=[evil])
    document["data"][0]["tier"] = evil

    found = read(page(report, document))

    assert {"script", "img"}.isdisjoint(found.tags)
    assert evil in found.said


def test_nothing_is_loaded_and_no_script_can_run():
    text = page(a_report(), document_of(a_report()))

    assert not re.search(r"<script|<link|src=|href=|url\(|@import|style=\"|\bon\w+=", text)
    policy = HEADERS["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    (style,) = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    assert f"'sha256-{base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()}'" in policy


def test_it_can_be_printed_and_read_in_the_dark():
    text = page(a_report(), document_of(a_report()))
    assert "@media print" in text
    assert "prefers-color-scheme:dark" in text
