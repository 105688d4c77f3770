"""What the check of offers finds: for every code a draft that has it, and a neighbour that does not."""

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from loyalty.core.findings import Finding
from loyalty.earning.checks.proposal import Known
from loyalty.personalisation.checking import check
from loyalty.personalisation.checks.proposal import NOTHING_AROUND, Around
from loyalty.personalisation.set_schemas import DraftOffersSchema
from loyalty.programs.domain import Stacking
from loyalty.rules.findings import ERRORS
from tests.builders import NOW
from tests.earning.test_domain import a_scheme
from tests.personalisation.offering import cheaper, double, gift, off, points, promising

ROOT = Path(__file__).resolve().parents[2]
SHAPE = DraftOffersSchema()

SOLD = Around(
    Known(frozenset({"BEANS-1", "CUP-1"}), frozenset({"coffee", "coffee > beans", "tea"}), tiers=frozenset({"gold"})),
    {"bronze": Decimal(1), "gold": Decimal(2)},
    frozenset({"regulars"}),
)
BEST = Stacking(multiplier="best")
NOTHING_BUT = {"categories": ["tobacco"], "skus": ["X-1"]}
IN_SPRING = {"valid_from": "2026-03-02T00:00:00+01:00", "valid_to": "2026-05-02T00:00:00+02:00"}


def findings(*offers: dict[str, Any], around: Around = NOTHING_AROUND, choosing: Any = None, **settings: Any) -> Any:
    draft = SHAPE.load({"offers": list(offers), "personalising": choosing or {}})
    return check(draft["offers"], draft["personalising"], a_scheme(**settings), around, now=NOW)


def said(found: list[Finding]) -> list[tuple[str, str, str]]:
    return [(finding.level, finding.code, finding.pointer) for finding in found]


def case(code: str, draft: Any, *, at: str, not_of: Any, level: str = "warning", **given: Any) -> Any:
    """A draft in which a code is found at a place; `not_of` is the neighbour, in which it is not."""
    made = [tuple(each) if isinstance(each, list) else (each,) for each in (draft, not_of)]
    return pytest.param((level, code, f"/{at}"), *made, given, id=f"{code} {at}")


NAMES = [
    case("tie", [points(), points()], at="offers/1/code", level="error", not_of=[points(), double()]),
    case("unknown-language", points(titles={"xx": "?"}), at="offers/0/titles/xx", not_of=points(titles={"pt-BR": "!"})),
    case("missing-translation", [points(titles={"pl": "Punkty"}), double()], at="offers/1/titles",
         not_of=[points(titles={"pl": "Punkty"}), double(titles={"pl": "Podwójne punkty"})]),
    case("unknown-segment", points(segments=["regular"]), at="offers/0/segments/0", around=SOLD,
         not_of=points(segments=["regulars"])),
    case("unknown-tier", points(tiers=["gild"]), at="offers/0/tiers/0", around=SOLD, not_of=points(tiers=["gold"])),
    case("unknown-sku", points(skus=["BEANS-2"]), at="offers/0/skus/0", around=SOLD, not_of=points(skus=["BEANS-1"])),
    case("unknown-category", double(exclude_categories=["coffee > pods"]), at="offers/0/exclude_categories/0",
         around=SOLD, not_of=double(exclude_categories=["coffee > beans"])),
    case("unknown-category", points(when='history.categories["cofee"].orders > 0'), at="offers/0/when",
         around=SOLD, not_of=points(when='history.categories["coffee"].orders > 0')),
    case("unknown-sku", points(), at="personalising/never_personalise/skus/0", around=SOLD, not_of=points(),
         choosing={"never_personalise": {"skus": ["CUP-2"]}}),
    case("category-path", double(categories=["coffee>beans"]), at="offers/0/categories/0",
         not_of=double(categories=["coffee > beans"])),
]  # fmt: skip

GOODS = [
    case("nothing-covered", double(exclude_categories=["coffee"]), at="offers/0/categories", level="error",
         not_of=double(exclude_categories=["coffee > pods"])),
    case("named-and-excluded", double(skus=["A"], exclude_skus=["A"]), at="offers/0/skus/0",
         not_of=double(skus=["A"], exclude_skus=["B"])),
    case("said-twice", double(categories=["coffee", "coffee > beans"]), at="offers/0/categories/1",
         not_of=double(categories=["coffee", "tea"])),
    case("idle-exclusion", double(exclude_categories=["tea"]), at="offers/0/exclude_categories/0",
         not_of=double(exclude_categories=["coffee > beans"])),
    case("never-personalised", double(categories=["tobacco > cigars"], skus=["X-1"]), at="offers/0", level="error",
         choosing={"never_personalise": NOTHING_BUT}, not_of=double(categories=["tobacco", "coffee"])),
    case("never-personalised", points(skus=["X-1"]), at="offers/0", level="error",
         choosing={"never_personalise": NOTHING_BUT}, not_of=points()),
]  # fmt: skip

TIMES = [
    case("over", points(valid_to="2026-03-01T12:00:00Z"), at="offers/0/valid_to",
         not_of=points(valid_to="2026-03-01T12:00:01Z")),
    case("midnight-elsewhere", points(valid_to="2026-06-15T00:00:00Z"), at="offers/0/valid_to",
         not_of=points(valid_to="2026-06-15T00:00:00+02:00")),
    case("last-day-left-out", points(valid_to="2026-06-30T00:00:00+02:00"), at="offers/0/valid_to",
         not_of=points(valid_to="2026-07-01T00:00:00+02:00")),
    case("idle-days", points(days=62, **IN_SPRING), at="offers/0/days", not_of=points(days=60, **IN_SPRING)),
]  # fmt: skip

AMOUNTS = [
    case("idle-least-value", promising("bonus_points", 50, least_value=50), at="offers/0/promise/least_value",
         not_of=promising("bonus_points", 50, least_value=49)),
    case("gives-everything", promising("discount_percent", 100), at="offers/0/promise/value",
         not_of=[off(promise={"kind": "discount_percent", "value": 100, "most": 900}),
                 {**promising("discount_percent", 99), "code": "p"}]),
    case("free-order", cheaper(min_basis=500), at="offers/0/min_basis", not_of=cheaper(min_basis=501)),
    case("minor-units", cheaper(promise={"kind": "discount_amount", "value": 5}), at="offers/0/promise/value",
         not_of=cheaper(promise={"kind": "discount_amount", "value": 100})),
    case("minor-units", points(min_basis=20), at="offers/0/min_basis", not_of=points(min_basis=2_000)),
    case("outdone-by-tier", double(), at="offers/0/promise/value", around=SOLD, stacking=BEST,
         not_of=[double(tiers=["bronze"]), double(code="d", promise={"kind": "multiplier", "value": "2.01"})]),
]  # fmt: skip

LIMITS = [
    case("unbounded", points(valid_to=None), at="offers/0", not_of=[points(), points(code="p", budget_points=900)]),
    case("unbounded", off(budget_amount=None), at="offers/0", not_of=off()),
    case("budget-too-small", points(budget_points=99), at="offers/0/budget_points", level="error",
         not_of=points(budget_points=100)),
    case("budget-too-small", off(budget_amount=999), at="offers/0/budget_amount", level="error",
         not_of=off(budget_amount=1_000)),
    case("budget-too-small", gift(budget_amount=299), at="offers/0/budget_amount", level="error",
         not_of=gift(budget_amount=300)),
    case("budget-too-small", {**promising("bonus_points", 90, least_value=40), "budget_points": 50},
         at="offers/0/budget_points", not_of={**promising("bonus_points", 90, least_value=40), "budget_points": 90}),
    case("idle-cap", points(caps={"week": 3, "ever": 3}), at="offers/0/caps/week",
         not_of=points(caps={"week": 3, "ever": 4})),
    case("idle-cap", points(caps={"month": 1}, cooldown_days=31), at="offers/0/caps/month",
         not_of=points(caps={"month": 1}, cooldown_days=30)),
    case("given-once", points(cooldown_days=61, **IN_SPRING), at="offers/0/cooldown_days",
         not_of=points(cooldown_days=60, **IN_SPRING)),
    case("trigger-repeats", points(trigger="win_back"), at="offers/0/cooldown_days",
         not_of=[points(trigger="win_back", cooldown_days=90), points(code="p", trigger="referral", min_basis=900)]),
]  # fmt: skip

CHOOSING = [
    case("no-offers", [], at="offers", not_of=points()),
    case("all-by-lot", points(), at="personalising/exploration_percent", choosing={"exploration_percent": 100},
         not_of=None),
    case("all-held-out", points(holdout_percent=100), at="offers/0/holdout_percent",
         not_of=points(holdout_percent="99.99")),
    case("group-of-one", points(group="g"), at="offers/0/group", not_of=[points(group="g"), double(group="g")]),
]  # fmt: skip

PAIRS = [
    case("twice-the-same", [double(), double(code="twice", valid_from=None)], at="offers/1",
         not_of=[double(), double(code="twice", categories=["tea"])]),
    case("twice-the-same", [double(categories=["a", "b"]), double(code="twice", categories=["b", "a"])], at="offers/1",
         not_of=[double(), double(code="next", valid_from="2027-01-01T00:00:00+01:00", valid_to=None, priority=1)]),
    case("twice-the-same", [points(), points(code="more")], at="offers/1",
         not_of=[points(group="g"), points(code="more", group="g")]),
]  # fmt: skip

CONDITIONS = [
    case("condition-syntax", points(when="history.orders >"), at="offers/0/when", level="error",
         not_of=points(when="history.orders > 1")),
    case("condition-unknown-variable", points(when="order.total > 1"), at="offers/0/when", level="error",
         not_of=points(when='member.tier in ["gold"]')),
    case("condition-unknown-field", points(when="history.order > 1"), at="offers/0/when", level="error",
         not_of=points(when="history.spend > 1")),
    case("condition-type", points(when='history.orders > "1"'), at="offers/0/when", level="error",
         not_of=points(when="history.orders > 1")),
    case("condition-not-a-condition", points(when="history.orders"), at="offers/0/when", level="error",
         not_of=points(when="history.orders > 0")),
    case("condition-bound", points(when="(" * 200 + "true" + ")" * 200), at="offers/0/when", level="error",
         not_of=points()),
    case("condition-constant", points(when="1 == 1"), at="offers/0/when", not_of=points(when="history.orders == 1")),
    case("condition-missing-value", points(when="member.age >= 18"), at="offers/0/when",
         not_of=points(when="member.age != null && member.age >= 18")),
]  # fmt: skip

TABLE = [*NAMES, *GOODS, *TIMES, *AMOUNTS, *LIMITS, *CHOOSING, *PAIRS, *CONDITIONS]


@pytest.mark.parametrize(("finding", "draft", "neighbour", "given"), TABLE)
def test_a_draft_is_told_what_is_wrong_and_its_neighbour_is_not(
    finding: tuple[str, str, str], draft: Any, neighbour: Any, given: dict[str, Any]
):
    level, code, pointer = finding
    assert finding in said(findings(*draft, **given))
    if neighbour == (None,):
        neighbour, given = draft, {}
    if pointer.startswith("/personalising/never"):
        given = {**given, "choosing": {}}
    assert (level, code) not in {(level, code) for level, code, _ in said(findings(*neighbour, **given))}


def test_of_plain_offers_nothing_is_said():
    plain = [points(), double(), off(), cheaper(), gift(segments=["regulars"], tiers=["gold"])]

    assert said(findings(*plain, around=SOLD)) == []
    assert findings(*plain[:4], choosing={"exploration_percent": 10, "never_personalise": {"categories": ["x"]}}) == []


def test_nothing_is_said_of_names_where_nothing_is_known():
    assert findings(double(categories=["x"], segments=["x"], skus=["X"])) == []


def test_every_code_is_raised_here_and_explained_to_marketers():
    sources = [file.read_text() for file in (ROOT / "loyalty/personalisation/checks").glob("*.py")]
    raised = set(re.findall(r"(?:error|warning)\(\s*\"([a-z-]+)\"", "".join(sources)))
    # What is said of rules in the same words.
    raised |= {"unknown-sku", "unknown-category", "unknown-tier", "category-path", "nothing-covered", "said-twice"}
    raised |= {"named-and-excluded", "idle-exclusion", "midnight-elsewhere", "last-day-left-out"}
    raised |= {f"condition-{code}" for code in {*ERRORS, "missing-value", "constant"}}
    howto = (ROOT / "docs/howto.md").read_text().partition("## What the check of offers finds")[2]

    assert raised == {param.values[0][1] for param in TABLE}
    assert raised == set(re.findall(r"^\| `([a-z-]+)`", howto.partition("\n## ")[0], re.MULTILINE))


def test_every_finding_says_what_to_do():
    for param in (each for each in TABLE if each not in CONDITIONS):
        _, draft, _, given = param.values
        for finding in findings(*draft, **given):
            assert re.fullmatch(r"[A-Z'\d].*[.:?!] .*[.?]", finding.detail), finding.detail


def test_errors_come_first():
    found = findings(points(valid_to=None), points(), cheaper(min_basis=1))

    assert [finding.level for finding in found] == sorted(finding.level for finding in found)
    assert {finding.level for finding in found} == {"error", "warning"}


def test_what_is_the_same_with_many_offers_is_said_of_ten():
    found = findings(*(points(code=f"p-{n}", min_basis=n * 100, valid_to=None) for n in range(1_000)))

    assert said(found) == [("warning", "unbounded", f"/offers/{number}") for number in range(10)]
    assert found[-1].detail.endswith("The same holds for 990 more in this list.")


def test_amounts_are_those_of_the_currency():
    small = cheaper(promise={"kind": "discount_amount", "value": 50})

    assert findings(small, currency="JPY") == []
    assert "Did you mean 50000?" in findings(small, currency="KWD")[0].detail
