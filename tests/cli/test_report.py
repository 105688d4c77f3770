"""`loyalty report` says what the API says, as a table, a page or a picture, and without a key."""

import csv
from xml.etree import ElementTree as ET

import orjson
import pytest
from click.testing import CliRunner, Result

from loyalty.cli import main
from tests.api import Api

TIME = ["--from", "2026-01-01", "--to", "2026-04-01"]


@pytest.fixture
def report(api: Api, database_url: str, monkeypatch):
    """The command, about a shop in which nothing has happened."""
    monkeypatch.setenv("DATABASE_URL", database_url)

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(main, ["report", *arguments, "--program", api.program.code])

    return run


def test_it_says_what_the_api_says(report, api):
    told = report("participation", *TIME)

    answered = api.get("/v1/reports/participation?from=2026-01-01&to=2026-04-01").json
    said = orjson.loads(told.stdout)
    assert [row["period"] for row in said["data"]] == ["2026-01", "2026-02", "2026-03"]
    assert {**said, "as_of": None} == {**answered, "as_of": None}


def test_all_that_a_report_can_be_asked_can_be_asked(report):
    told = report(
        "participation", *TIME, "--granularity", "quarter", "--filter", "tier=gold", "--filter", "active_days=30",
        "--filter", "compare=previous",
    )  # fmt: skip

    said = orjson.loads(told.stdout)
    assert said["filters"] == {"tier": "gold"}
    assert said["previous"]["to"] == "2026-01-01"
    assert [row["period"] for row in said["data"]] == ["2026-Q1"]


def test_a_table_goes_into_a_file(report, tmp_path):
    file = tmp_path / "active.csv"
    told = report("participation", *TIME, "--format", "csv", "--out", str(file))

    assert told.exit_code == 0, told.output
    assert told.stdout == ""
    head, *rows = csv.reader(file.read_text().splitlines())
    assert head[:3] == ["period", "from", "to"]
    assert len(rows) == 3


def test_a_section_is_a_table_of_its_own(report):
    told = report("offers", *TIME, "--format", "csv", "--filter", "section=offers")
    assert told.stdout.startswith("offer,")


def test_a_picture_is_drawn_and_nothing_else_printed(report, tmp_path):
    file = tmp_path / "active.svg"
    told = report("participation", *TIME, "--plot", str(file))

    assert told.exit_code == 0, told.output
    assert told.stdout == ""
    assert ET.parse(file).getroot().tag == "{http://www.w3.org/2000/svg}svg"


def test_a_page_is_written_and_a_table_printed_beside_it(report, tmp_path):
    file = tmp_path / "active.html"
    told = report("participation", *TIME, "--plot", str(file), "--format", "csv")

    assert told.stdout.startswith("period,from,to,")
    assert file.read_text().startswith("<!doctype html>")
    assert report("participation", *TIME, "--format", "html").stdout.startswith("<!doctype html>")


@pytest.mark.parametrize("name", ["active.png", "active.pdf", "active"])
def test_pictures_are_svg(report, name):
    told = report("participation", "--plot", name)
    assert told.exit_code == 2
    assert "ends in .svg or .html" in told.stderr.replace("\n", " ")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--filter", "gold"], "NAME=VALUE"),
        (["--filter", "colour=red"], "colour"),
        (["--from", "yesterday"], "from"),
        (["--from", "2026-04-01", "--to", "2026-01-01"], "later than"),
        (["--format", "csv", "--out", "/nowhere/at.csv"], "cannot be written"),
    ],
)
def test_what_cannot_be_asked_is_told_in_one_sentence(report, arguments, said):
    told = report("participation", *arguments)

    assert told.exit_code == 1
    assert said in told.stderr
    assert "Traceback" not in told.output
