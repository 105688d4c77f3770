"""What the check of earning rules finds: for every code a draft that has it, and a neighbour that does not."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from loyalty.core.findings import Finding
from loyalty.earning.checking import check
from loyalty.earning.checks.proposal import NOTHING_KNOWN, Known
from loyalty.programs.domain import Stacking
from loyalty.rules.findings import ERRORS
from tests.builders import NOW
from tests.earning.test_domain import a_scheme

ROOT = Path(__file__).resolve().parents[2]

SOLD = Known(
    frozenset({"BEANS-1", "BEANS-2", "CUP-1"}),
    frozenset({"coffee", "coffee > beans", "cups"}),
    frozenset({"web", "store"}),
)
BEST = Stacking(base="best", multiplier="best")
PER_1_00, PER_0_50 = {"amount": 100, "points": "1"}, {"amount": 50, "points": "1"}


def base(**given: Any) -> dict[str, Any]:
    return {"code": "base", "kind": "base", "priority": 10, "points_per": PER_1_00, **given}


def double(**given: Any) -> dict[str, Any]:
    return {"code": "double", "kind": "multiplier", "priority": 20, "factor": "2", **given}


def bonus(**given: Any) -> dict[str, Any]:
    """A bonus that ends, so that nothing is to be said of it."""
    return {
        "code": "bonus",
        "kind": "bonus",
        "priority": 30,
        "points": 100,
        "valid_to": "2027-01-01T00:00:00+01:00",
        **given,
    }


def review(**given: Any) -> dict[str, Any]:
    """A bonus for an activity, as often as once a day."""
    return {
        "code": "review",
        "kind": "bonus",
        "priority": 40,
        "points": 10,
        "activity": "review",
        "limits": {"day": 1},
        **given,
    }


def window(*weekdays: str, begin: str = "00:00", end: str = "24:00") -> dict[str, Any]:
    return {"weekdays": list(weekdays), "from": begin, "to": end}


def segment(code: str = "regulars", when: str = "history.orders >= 5") -> dict[str, Any]:
    return {"code": code, "name": code, "when": when}


def findings(
    *rules: dict[str, Any], segments: Any = (), known: Known = NOTHING_KNOWN, **settings: Any
) -> list[Finding]:
    return check(rules, segments, a_scheme(**settings), known, now=NOW)


def said(found: list[Finding]) -> list[tuple[str, str, str]]:
    return [(finding.level, finding.code, finding.pointer) for finding in found]


def case(code: str, *rules: dict[str, Any], at: str, not_of: Any, level: str = "warning", **given: Any) -> Any:
    """A draft in which a code is found at a place, and only there; `not_of` is the neighbour."""
    neighbour = list(not_of) if isinstance(not_of, tuple) else [not_of]
    return pytest.param((level, code, at), rules, neighbour, given, id=f"{code} {at}")


A_YEAR = {"valid_from": "2026-01-01T00:00:00+01:00", "valid_to": "2027-01-01T00:00:00+01:00"}
MARCH = {"valid_from": "2026-03-01T00:00:00+01:00", "valid_to": "2026-04-01T00:00:00+02:00"}
APRIL = {"valid_from": "2026-04-01T00:00:00+02:00", "valid_to": "2026-05-01T00:00:00+02:00"}
# A Monday and a Tuesday.
TWO_DAYS = {"valid_from": "2026-03-02T00:00:00+01:00", "valid_to": "2026-03-04T00:00:00+01:00"}

NAMES = [
    case("tie", base(), double(priority=10), at="/rules/0/priority", level="error", not_of=(base(), double())),
    case("tie", base(), double(code="base"), at="/rules/1/code", level="error", not_of=(base(), double())),
    case("unknown-unit", base(unit="miles"), at="/rules/0/unit", level="error", not_of=base()),
    case("unknown-segment", base(segments=["fans"]), at="/rules/0/segments/0", level="error", not_of=base()),
    case("unused-segment", base(), at="/segments/0", not_of=base(segments=["regulars"]), segments=[segment()]),
    case("unknown-tier", base(tiers=["gold"]), at="/rules/0/tiers/0", not_of=base()),
    case(
        "unknown-tier", base(tiers=["gold", "gild"]), at="/rules/0/tiers/1", not_of=base(tiers=["gold"]),
        known=Known(tiers=frozenset({"silver", "gold"})),
    ),
    case(
        "unknown-sku", base(skus=["BEANS-1", "BEAN-1"]), at="/rules/0/skus/1",
        not_of=base(skus=["BEANS-1"]), known=SOLD,
    ),
    case("unknown-sku", base(exclude_skus=["X"]), at="/rules/0/exclude_skus/0", not_of=base(), known=SOLD),
    case(
        "unknown-category", base(categories=["coffe"]), at="/rules/0/categories/0", not_of=base(categories=["coffee"]),
        known=SOLD,
    ),
    case(
        "unknown-category", base(when='history.categories["tea"].orders == 0'), at="/rules/0/when",
        not_of=base(when='history.categories["cups"].orders == 0'), known=SOLD,
    ),
    case(
        "unknown-category", base(segments=["s"]), at="/segments/0/when", not_of=(),
        segments=[segment("s", 'history.categories["tea"].orders > 0')], known=SOLD,
    ),
    case(
        "unknown-channel", base(channels=["www"]), at="/rules/0/channels/0",
        not_of=base(channels=["web"]), known=SOLD,
    ),
    case(
        "category-path", base(categories=["coffee>beans"]), at="/rules/0/categories/0",
        not_of=base(categories=["coffee > beans"]),
    ),
]  # fmt: skip

GOODS = [
    case(
        "nothing-covered", base(skus=["A"], exclude_skus=["A", "B"]), at="/rules/0/skus", level="error",
        not_of=base(categories=["coffee"], exclude_skus=["A"]),
    ),
    case(
        "nothing-covered", base(categories=["coffee > beans"], exclude_categories=["coffee"]), at="/rules/0/categories",
        level="error", not_of=base(categories=["coffee"], exclude_categories=["coffee > beans"]),
    ),
    case(
        "named-and-excluded", base(skus=["A", "B"], exclude_skus=["A"]), at="/rules/0/skus/0",
        not_of=base(skus=["B"], exclude_categories=["coffee"]),
    ),
    case("said-twice", base(skus=["A", "B", "A"]), at="/rules/0/skus/2", not_of=base(skus=["A", "B"])),
    case(
        "said-twice", base(categories=["coffee > beans", "coffee"]), at="/rules/0/categories/0",
        not_of=base(categories=["coffee > beans", "coffee > pods"]),
    ),
    case(
        "idle-exclusion", base(categories=["coffee"], exclude_categories=["tea"]), at="/rules/0/exclude_categories/0",
        not_of=base(categories=["coffee > beans"], exclude_categories=["coffee > beans > decaf"]),
    ),
    case(
        "idle-exclusion", base(skus=["A"], exclude_skus=["B"]), at="/rules/0/exclude_skus/0",
        not_of=base(categories=["coffee"], exclude_skus=["B"]),
    ),
]  # fmt: skip

TIMES = [
    case(
        "over", base(valid_to="2026-03-01T12:00:00Z"), at="/rules/0/valid_to",
        not_of=base(valid_to="2026-03-01T12:00:01Z"),
    ),
    case(
        "midnight-elsewhere", base(valid_from="2026-03-02T00:00:00Z"), at="/rules/0/valid_from",
        not_of=base(valid_from="2026-03-02T00:00:00+01:00"),
    ),
    case(
        "last-day-left-out", base(valid_to="2026-03-31T00:00:00+02:00"), at="/rules/0/valid_to",
        not_of=base(valid_to="2026-04-01T00:00:00+02:00"),
    ),
    case(
        "never-open", bonus(time_windows=[window("fri", "sat")], **TWO_DAYS), at="/rules/0/time_windows", level="error",
        not_of=bonus(time_windows=[window("tue")], **TWO_DAYS),
    ),
    case(
        "never-open", bonus(time_windows=[window("fri"), window("mon")], **TWO_DAYS), at="/rules/0/time_windows/0",
        not_of=bonus(time_windows=[window("sun", begin="22:00", end="02:00"), window("tue")], **TWO_DAYS),
    ),
    case(
        "overlapping-windows", base(time_windows=[window("fri", begin="16:00"), window(begin="23:00", end="23:30")]),
        at="/rules/0/time_windows/1",
        not_of=base(time_windows=[window("fri", begin="16:00", end="18:00"), window("fri", begin="18:00")]),
    ),
    case(
        "overlapping-windows",
        base(time_windows=[window("sun", begin="22:00", end="02:00"), window("mon", end="01:00")]),
        at="/rules/0/time_windows/1",
        not_of=base(time_windows=[window("sun", begin="22:00", end="02:00"), window("mon", begin="02:00")]),
    ),
]  # fmt: skip

AMOUNTS = [
    case("no-rules", at="/rules", not_of=base()),
    case("no-base", double(), at="/rules/0", level="error", not_of=(base(), double())),
    case("idle-factor", base(), double(factor="1"), at="/rules/1/factor", not_of=(base(), double())),
    case(
        "gives-too-much", base(points_per={"amount": 1, "points": "1"}), at="/rules/0/points_per",
        not_of=base(points_per={"amount": 10, "points": "1"}),
    ),
    case("minor-units", base(min_basis=50), at="/rules/0/min_basis", not_of=base(min_basis=5000)),
    case(
        "out-of-proportion", base(), bonus(points=10_001), at="/rules/1/points",
        not_of=(base(), bonus(points=10_000)),
    ),
    case(
        "nothing-to-confirm", review(activation={"mode": "on_event"}), at="/rules/0/activation",
        not_of=review(activation={"mode": "delay", "days": 3}),
    ),
]  # fmt: skip


def capped(period: str, cap: int, **caps: Any) -> dict[str, Any]:
    return base(caps={"per_member": {period: cap}, **caps})


LIMITS = [
    case(
        "idle-cap", capped("day", 50, per_order=50), at="/rules/0/caps/per_order",
        not_of=capped("day", 51, per_order=50),
    ),
    case(
        "idle-cap", capped("day", 50, budget=50), at="/rules/0/caps/per_member/day",
        not_of=capped("day", 50, budget=51),
    ),
    case(
        "idle-cap", base(caps={"per_member": {"day": 200, "week": 100}}), at="/rules/0/caps/per_member/day",
        not_of=base(caps={"per_member": {"week": 200, "month": 100}}),
    ),
    case("idle-cap", bonus(caps={"per_order": 100}), at="/rules/0/caps/per_order", not_of=bonus()),
    case(
        "idle-cap", bonus(limits={"day": 2}, caps={"per_member": {"day": 200}}), at="/rules/0/caps/per_member/day",
        not_of=bonus(limits={"day": 2}, caps={"per_member": {"day": 150}}),
    ),
    case(
        "bonus-above-cap", bonus(caps={"per_member": {"day": 50}}), at="/rules/0/caps/per_member/day",
        not_of=bonus(caps={"per_member": {"day": 150}}),
    ),
    case(
        "idle-limit", review(limits={"day": 2, "ever": 1}), at="/rules/0/limits/day",
        not_of=review(limits={"day": 2, "ever": 3}),
    ),
    case("idle-limit", review(limits={"week": 2}, cooldown_days=7), at="/rules/0/limits/week",
         not_of=review(limits={"week": 2}, cooldown_days=3)),
    case("idle-limit", review(limits={"ever": 1}, cooldown_days=7), at="/rules/0/cooldown_days",
         not_of=review(limits={"ever": 2}, cooldown_days=7)),
    case("unbounded-activity", review(limits={}), at="/rules/0", not_of=review()),
    case(
        "unbounded-activity", review(limits={}, caps={"budget": 1000}), at="/rules/0",
        not_of=review(limits={}, cooldown_days=7),
    ),
    case(
        "birthday-every-order", bonus(birthday={}), at="/rules/0/birthday",
        not_of=bonus(birthday={}, limits={"year": 1}),
    ),
    case("unbounded", bonus(valid_to=None), at="/rules/0", not_of=bonus(valid_to=None, milestone={"nth": 1})),
    case("unbounded", base(), double(factor="3.1"), at="/rules/1", not_of=(base(), double(factor="3"))),
    case(
        "unbounded", base(), double(factor="5"), at="/rules/1",
        not_of=(base(), double(factor="5", caps={"per_order": 9})),
    ),
]  # fmt: skip

PAIRS = [
    case(
        "outdone", base(), base(code="b", priority=20, points_per=PER_0_50), at="/rules/0",
        not_of=(base(), base(code="b", priority=20, points_per=PER_0_50, categories=["coffee"])), stacking=BEST,
    ),
    case(
        "outdone", base(), double(), double(code="coffee", priority=30, categories=["coffee"]), at="/rules/2",
        not_of=(base(), double(**MARCH), double(code="coffee", priority=30, categories=["coffee"])), stacking=BEST,
    ),
    case(
        "twice-the-same", base(), bonus(**MARCH), bonus(code="new", priority=31, points=200, **A_YEAR), at="/rules/1",
        not_of=(base(), bonus(**MARCH), bonus(code="new", priority=31, points=200, **APRIL)),
    ),
    case(
        "twice-the-same", base(), double(), double(code="new", priority=30), at="/rules/2",
        not_of=(base(), double(), double(code="new", priority=30, channels=["web"])),
    ),
    case(
        "no-common-base", base(categories=["coffee > beans"]), double(categories=["coffee > pods"]), at="/rules/1",
        not_of=(base(categories=["coffee > beans"]), double(categories=["coffee"])),
    ),
    case(
        "no-common-base", base(exclude_categories=["coffee"]), double(categories=["coffee > pods"]), at="/rules/1",
        not_of=(base(exclude_categories=["coffee > beans"]), double(categories=["coffee > pods"])),
    ),
    case("no-common-base", base(**APRIL), double(**MARCH), at="/rules/1", not_of=(base(**A_YEAR), double(**MARCH))),
    case(
        "no-common-base", base(channels=["web"]), double(channels=["store"]), at="/rules/1",
        not_of=(base(channels=["web"]), double(channels=["store", "web"])),
    ),
]  # fmt: skip

FIRST = {"milestone": {"first": 1}}
CONDITIONS = [
    case(
        "condition-syntax", base(when="history.orders >"), at="/rules/0/when", level="error",
        not_of=base(when="true || history.orders > 1"),
    ),
    case("condition-unknown-variable", bonus(when="line.quantity > 1"), at="/rules/0/when", level="error",
         not_of=base(when="line.quantity > 1")),
    case("condition-unknown-variable", review(when="order.total > 1"), at="/rules/0/when", level="error",
         not_of=bonus(when="order.total > 1")),
    case("condition-unknown-field", base(when="order.totl > 1"), at="/rules/0/when", level="error",
         not_of=base(when="order.total > 1")),
    case("condition-type", base(when='order.total > "1"'), at="/rules/0/when", level="error",
         not_of=base(when='order.channel != null && order.channel == "1"')),
    case("condition-not-a-condition", base(when="order.total"), at="/rules/0/when", level="error",
         not_of=base(when="order.total > 0")),
    case("condition-bound", base(when="true" + " && true" * 200), at="/rules/0/when", level="error", not_of=base()),
    case("condition-constant", base(when="1 == 1"), at="/rules/0/when", not_of=base(when="order.total == 1")),
    case("condition-missing-value", base(when="member.age >= 18"), at="/rules/0/when",
         not_of=base(when="member.age != null && member.age >= 18")),
    case("condition-unknown-variable", base(segments=["s"]), at="/segments/0/when", level="error", not_of=(),
         segments=[segment("s", "order.total > 1")]),
    case("contradiction", bonus(when="history.orders > 3", **FIRST), at="/rules/0/when", level="error",
         not_of=bonus(when="history.orders == 0", **FIRST)),
    case("contradiction", bonus(when="history.orders == 5", milestone={"nth": 5}), at="/rules/0/when", level="error",
         not_of=bonus(when="history.orders == 4", milestone={"nth": 5})),
]  # fmt: skip

TABLE = [*NAMES, *GOODS, *TIMES, *AMOUNTS, *LIMITS, *PAIRS, *CONDITIONS]


@pytest.mark.parametrize(("finding", "rules", "neighbour", "given"), TABLE)
def test_a_draft_is_told_what_is_wrong_and_its_neighbour_is_not(
    finding: tuple[str, str, str], rules: tuple[dict[str, Any], ...], neighbour: Any, given: Mapping[str, Any]
):
    assert finding in said(findings(*rules, **given))
    if neighbour:
        level, code, _ = finding
        assert (level, code) not in {(level, code) for level, code, _ in said(findings(*neighbour, **given))}


def test_of_a_plain_program_nothing_is_said():
    rules = [base(), double(categories=["coffee"]), bonus(segments=["regulars"]), review()]

    assert findings(*rules, segments=[segment()]) == []


def test_every_code_is_raised_here_and_explained_to_marketers():
    sources = [file.read_text() for file in (ROOT / "loyalty/earning/checks").glob("*.py")]
    raised = set(re.findall(r"(?:error|warning)\(\s*\"([a-z-]+)\"", "".join(sources)))
    raised |= {"unknown-sku", "unknown-category", "unknown-channel"}
    raised |= {f"condition-{code}" for code in {*ERRORS, "missing-value", "constant"}}
    howto = (ROOT / "docs/howto.md").read_text().partition("## What the check of earning rules finds")[2]
    howto = howto.partition("\n## ")[0]

    assert raised == {param.values[0][1] for param in TABLE}
    assert raised == set(re.findall(r"^\| `([a-z-]+)`", howto, re.MULTILINE))


def test_nothing_is_said_about_goods_where_nothing_was_sold_yet():
    rule = base(skus=["X"], categories=["x"], channels=["x"], when='history.categories["x"].orders == 0')

    assert findings(rule) == []


@pytest.mark.parametrize(
    ("rule", "meant"),
    [
        (base(skus=["beans1"]), "BEANS-1"),
        (base(skus=["BEANZ-2"]), "BEANS-2"),
        (base(categories=["Coffee > Beans"]), "coffee > beans"),
        (base(channels=["stor"]), "store"),
        (base(when='history.categories["cofee"].orders == 0'), "coffee"),
    ],
)
def test_the_name_that_was_probably_meant_is_named(rule: dict[str, Any], meant: str):
    assert [finding.detail.endswith(f"Did you mean '{meant}'?") for finding in findings(rule, known=SOLD)] == [True]


def test_a_thousand_unknown_skus_are_ten_findings():
    found = findings(base(skus=[f"X-{number}" for number in range(1000)]), known=SOLD)

    assert [finding.pointer for finding in found] == [f"/rules/0/skus/{number}" for number in range(10)]
    assert found[-1].detail.endswith("The same holds for 990 more in this list.")


def test_errors_come_first():
    found = findings(base(min_basis=1), double(unit="miles", factor="1"))

    assert [finding.level for finding in found] == sorted(finding.level for finding in found)
    assert {finding.level for finding in found} == {"error", "warning"}


def test_a_window_that_the_clocks_skip_in_part_is_open_for_the_rest():
    """On 29 March 2026 in Warsaw, 02:30 is followed by nothing, and 03:10 is an hour that comes."""
    morning = {"valid_from": "2026-03-29T01:05:00Z", "valid_to": "2026-03-29T01:20:00Z"}

    assert findings(bonus(time_windows=[window("sun", begin="02:30", end="03:30")], **morning)) == []


def test_amounts_are_those_of_the_currency():
    assert "minor-units" not in {code for _, code, _ in said(findings(base(min_basis=50), currency="JPY"))}
