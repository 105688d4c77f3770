import csv
from io import StringIO

from loyalty.kpis.reports.earning import REPORT
from loyalty.kpis.table import columns_of, lines
from tests.kpis.life import on

ROW = {"period": "2026-03", "from": on("2026-03-01"), "to": on("2026-04-01"), "issued": 100, "give_back": None}


def test_a_line_for_each_row_under_the_names_of_the_columns():
    columns = columns_of(REPORT, None)

    head, line = csv.reader(StringIO("".join(lines(columns, [ROW]))))

    assert tuple(head) == columns == ("period", "from", "to", *(column.name for column in REPORT.columns))
    assert dict(zip(head, line, strict=True)) == {
        "period": "2026-03", "from": "2026-03-01", "to": "2026-04-01", "issued": "100", "awards": "", "earners": "",
        "points_per_earner": "", "reversed": "", "cost": "", "revenue": "", "give_back": "",
    }  # fmt: skip


def test_a_section_is_a_table_of_its_own():
    columns = columns_of(REPORT, "rules")

    assert columns[0] == "rule"
    assert next(iter(lines(columns, []))) == "rule,awards,issued,reversed,earners,share,cost\r\n"


def test_no_text_is_taken_for_a_formula():
    (_, line) = lines(("channel", "points"), [{"channel": '=HYPERLINK("http://x.example")', "points": -5}])

    assert line == '"\'=HYPERLINK(""http://x.example"")",-5\r\n'
