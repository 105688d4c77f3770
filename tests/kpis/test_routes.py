"""Reports over HTTP: each is answered by its contract, in each format, and refuses what it cannot answer."""

import csv
from io import StringIO

import pytest

from loyalty.kpis.catalogue import REPORTS
from loyalty.kpis.domain import Report
from tests.api import Api
from tests.builders import a_key, order_json
from tests.shop import publish_ladder

each_report = pytest.mark.parametrize("report", REPORTS, ids=lambda report: report.name)

SPRING = "from=2026-03-01&to=2026-06-01"


@pytest.fixture
def shop(api: Api) -> Api:
    """A shop in which something happened in March 2026."""
    publish_ladder(api, {"code": "bronze", "threshold": 0}, {"code": "silver", "threshold": 1000})
    api.enrol(enrolled_at="2026-02-01T09:00:00Z")
    assert api.post("/v1/orders", order_json()).status_code == 201
    assert api.post("/v1/orders", order_json(order_id="A-2", customer_id=None)).status_code == 201
    return api


@each_report
def test_a_report_of_a_program_in_which_nothing_has_happened(api: Api, report: Report):
    answer = api.get(f"/v1/reports/{report.name}")

    assert answer.status_code == 200, answer.json
    assert (answer.json["report"], answer.json["granularity"]) == (report.name, "month")
    assert (answer.json["program"], answer.json["time_zone"]) == (api.program.code, api.program.time_zone)


@each_report
@pytest.mark.parametrize("granularity", ["day", "week", "month", "quarter", "year"])
def test_a_report_says_what_happened_moments_ago_with_nobody_counting(shop: Api, report: Report, granularity: str):
    answer = shop.get(f"/v1/reports/{report.name}?{SPRING}&granularity={granularity}&compare=previous")

    assert answer.status_code == 200, answer.json
    assert (answer.json["from"], answer.json["to"]) == ("2026-03-01", "2026-06-01")
    assert (answer.json["previous"]["to"]) == "2026-03-01"


@each_report
def test_every_number_has_its_definition(shop: Api, report: Report):
    answer = shop.get(f"/v1/reports/{report.name}?{SPRING}").json

    defined = answer["definitions"]
    assert all(name in defined for name in answer["totals"])
    assert all(name in defined for row in answer["data"] for name in row.keys() - {"period", "from", "to"})
    for section, rows in answer["sections"].items():
        assert all(f"{section}.{name}" in defined for row in rows for name in row)
    assert all(sentence.endswith(".") for sentence in defined.values())


def test_a_total_that_means_something_else_than_its_column_says_so(api: Api):
    defined = api.get("/v1/reports/tiers").json["definitions"]

    assert defined["members"].startswith("Members who had it at the end of the period")
    assert defined["totals.members"].startswith("Members at the end: all who ever enrolled")


@each_report
def test_a_report_as_a_table(shop: Api, report: Report):
    answer = shop.get(f"/v1/reports/{report.name}?{SPRING}&format=csv")

    assert answer.headers["Content-Type"].startswith("text/csv")
    assert f'filename="{report.name}-2026-03-01-2026-06-01.csv"' in answer.headers["Content-Disposition"]
    head, *lines = csv.reader(StringIO(answer.text))
    assert head == ["period", "from", "to", *(column.name for column in report.columns)]
    assert len(lines) == len(shop.get(f"/v1/reports/{report.name}?{SPRING}").json["data"])
    for section in report.sections:
        table = shop.get(f"/v1/reports/{report.name}?{SPRING}&format=csv&section={section}")
        assert table.text.startswith(",".join(column.name for column in report.sections[section]))


@each_report
def test_a_report_as_a_page_that_runs_nothing(shop: Api, report: Report):
    answer = shop.get(f"/v1/reports/{report.name}?{SPRING}&format=html&compare=previous")

    assert answer.headers["Content-Type"].startswith("text/html")
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'sha256-")
    assert f"<h1>{report.title}</h1>" in answer.text
    assert "<script" not in answer.text


@each_report
def test_each_filter_of_a_report_narrows_it_and_no_other_is_taken(shop: Api, report: Report):
    for name in ("tier", "segment", "channel", "category", "rule", "offer", "reward", "touchpoint"):
        answer = shop.get(f"/v1/reports/{report.name}?{SPRING}&{name}=silver")

        assert answer.status_code == (200 if name in report.filters else 422), name


@each_report
@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("from=yesterday", "from"),
        ("from=2026-02-30", "from"),
        ("to=20260301", "to"),
        ("from=1900-01-01", "from"),
        ("from=2026-03-02&to=2026-03-02", "to"),
        ("granularity=decade", "granularity"),
        ("from=2020-01-01&to=2026-01-01&granularity=day", "granularity"),
        ("format=xml", "format"),
        ("section=nothing", "section"),
        ("compare=next", "compare"),
        ("colour=red", "colour"),
    ],
)
def test_what_cannot_be_answered_is_refused_by_name(api: Api, report: Report, query: str, pointer: str):
    answer = api.get(f"/v1/reports/{report.name}?{query}")

    assert (answer.status_code, answer.json["code"]) == (422, "invalid-request")
    assert [error["pointer"] for error in answer.json["errors"]] == [pointer]


def test_one_filter_at_a_time(api: Api):
    answer = api.get("/v1/reports/participation?tier=gold&channel=web")

    assert answer.status_code == 422
    assert "Only one filter at a time" in answer.json["errors"][0]["detail"]


def test_a_filter_that_nothing_answers_to_is_pointed_out(shop: Api):
    found = shop.get(f"/v1/reports/earning?{SPRING}&rule=base").json
    slipped = shop.get(f"/v1/reports/earning?{SPRING}&rule=bsae").json

    assert (found["totals"]["awards"], found["warnings"]) == (1, [])
    assert slipped["warnings"] == ["Nothing was counted for rule=bsae in this time: is that the code?"]


def test_there_is_no_such_report(api: Api):
    assert api.get("/v1/reports/nonsense").status_code == 404


@each_report
def test_a_report_is_of_the_own_program(shop: Api, app, report: Report):
    with app.app_context():
        from loyalty.db.session import transaction
        from tests.builders import a_program

        with transaction() as session:
            other = a_program(session)
            key = a_key(session, other, "reports:read")
    stranger = Api(app, other, key)

    answer = stranger.get(f"/v1/reports/{report.name}?{SPRING}").json

    assert answer["program"] == other.code
    assert not any(value for value in answer["totals"].values() if isinstance(value, int))


def test_growth_since_the_time_before(shop: Api):
    answer = shop.get("/v1/reports/participation?from=2026-03-01&to=2026-04-01&compare=previous").json

    assert answer["previous"]["from"] == "2026-02-01"
    assert answer["previous"]["totals"]["enrolled"] == 1
    assert answer["previous"]["change"]["enrolled"] == -1
    assert answer["previous"]["change"]["orders"] is None, "there were none before"
