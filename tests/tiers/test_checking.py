"""What the check of a ladder finds: for every code a draft that has it, and a neighbour that does not."""

import re
from pathlib import Path
from typing import Any

import pytest

from loyalty.core.findings import Finding
from loyalty.programs.domain import UnitTerms
from loyalty.programs.terms import Activation, Expiry
from loyalty.tiers.checking import check
from loyalty.tiers.ladder_schemas import NewLadderSchema
from tests.builders import NOW
from tests.earning.test_domain import a_scheme

ROOT = Path(__file__).resolve().parents[2]

SHAPE = NewLadderSchema()
YEAR, QUARTER, MEMBERSHIP = ({"mode": mode} for mode in ("calendar_year", "calendar_quarter", "membership_year"))
LIFETIME, ROLLING = {"mode": "lifetime"}, {"mode": "rolling", "months": 12}
FOREVER, THIS, NEXT = ({"mode": mode} for mode in ("forever", "end_of_period", "end_of_next_period"))
A_YEAR = {"mode": "months", "months": 12}


def rolling(months: int) -> dict[str, Any]:
    return {"mode": "rolling", "months": months, "round_to": None}


def bronze(**given: Any) -> dict[str, Any]:
    return {"code": "bronze", "name": "Bronze", "threshold": 0, **given}


def silver(**given: Any) -> dict[str, Any]:
    return {"code": "silver", "name": "Silver", "threshold": 10_000, **given}


def gold(**given: Any) -> dict[str, Any]:
    return {"code": "gold", "name": "Gold", "threshold": 20_000, **given}


def giving(*benefits: dict[str, Any]) -> list[dict[str, Any]]:
    """Tiers with these benefits, lowest first."""
    return [tier(benefits=each) for tier, each in zip((bronze, silver, gold), benefits, strict=False)]


def ladder(*tiers: dict[str, Any], **given: Any) -> dict[str, Any]:
    """A ladder of which nothing is to be said, unless its tiers or terms are given."""
    plain = {"basis": "spend", "window": ROLLING, "validity": A_YEAR, "downgrade": "full"}
    return {**plain, **given, "tiers": list(tiers) or [bronze(), silver(), gold()]}


def findings(draft: dict[str, Any], *, known: Any = (), **settings: Any) -> list[Finding]:
    return check(SHAPE.load(draft), a_scheme(**settings), known, now=NOW)


def said(found: list[Finding]) -> list[tuple[str, str, str]]:
    return [(finding.level, finding.code, finding.pointer) for finding in found]


def case(code: str, draft: Any, *, at: str, not_of: Any, level: str = "warning", **given: Any) -> Any:
    """A draft in which a code is found at a place, and only there; `not_of` is the neighbour."""
    made = [ladder(*each) if isinstance(each, list) else each for each in (draft, not_of)]
    return pytest.param((level, code, at), *made, given, id=f"{code} {at}")


NAMES = [
    case("tie", [bronze(), silver(code="bronze")], at="/tiers/1/code", level="error", not_of=[bronze(), silver()]),
    case("same-name", [bronze(), silver(name="bronze")], at="/tiers/1/name", not_of=[bronze(), silver()]),
    case("same-color", [bronze(color="#c0c0c0"), silver(color="#C0C0C0")], at="/tiers/1/color",
         not_of=[bronze(color="#c0c0c0"), silver(color="#C0C0C1"), gold()]),
    case("missing-translation", [bronze(translations={"pl": {"name": "Brąz"}}), silver()], at="/tiers/1/translations",
         not_of=[bronze(translations={"pl": {"name": "Brąz"}}), silver(translations={"pl": {"name": "Srebro"}})]),
    case("tier-gone", [bronze(), gold()], at="/tiers", not_of=[bronze(), silver(), gold()], known={"bronze", "silver"}),
]  # fmt: skip

STEPS = [
    case("tie", [bronze(), silver(), gold(threshold=10_000)], at="/tiers/2/threshold", level="error",
         not_of=[bronze(), silver(), gold(threshold=10_001)]),
    case("lowest-not-zero", [silver(), gold()], at="/tiers/0/threshold", level="error",
         not_of=[silver(threshold=0), gold()]),
    case("out-of-order", [bronze(), gold(), silver()], at="/tiers/2/threshold", level="error",
         not_of=[bronze(), silver(), gold()]),
    case("gap", [bronze(), silver(), gold(threshold=200_001)], at="/tiers/2/threshold",
         not_of=[bronze(), silver(), gold(threshold=200_000)]),
    case("minor-units", [bronze(), gold(threshold=500)], at="/tiers/1/threshold",
         not_of=ladder(bronze(), gold(threshold=500), basis="points_earned")),
    case("minor-units", [bronze(), silver(threshold=9_999)], at="/tiers/1/threshold", not_of=[bronze(), silver()]),
    case("out-of-reach", ladder(bronze(), silver(threshold=93), basis="orders", window=QUARTER),
         at="/tiers/1/threshold", not_of=ladder(bronze(), silver(threshold=92), basis="orders", window=QUARTER)),
    case("out-of-reach", ladder(bronze(), silver(threshold=38), basis="orders",
                                window={"mode": "rolling", "months": 1, "days": 6}),
         at="/tiers/1/threshold", not_of=ladder(bronze(), silver(threshold=38), basis="orders", window=LIFETIME)),
]  # fmt: skip

BENEFITS = [
    case("lesser-benefit", giving({"multiplier": "1.5"}, {"multiplier": "1.25"}), at="/tiers/1/benefits/multiplier",
         not_of=giving({"multiplier": "1.5"}, {"multiplier": "1.5"})),
    case("lesser-benefit", giving({"expiry": {"mode": "never"}}, {}), at="/tiers/1/benefits/expiry",
         not_of=giving({}, {"expiry": {"mode": "never"}})),
    case("lesser-benefit", giving({"expiry": rolling(18)}, {}), at="/tiers/1/benefits/expiry",
         not_of=giving({"expiry": rolling(12)}, {})),
    case("lesser-benefit", giving({"expiry": {"mode": "inactivity", "months": 12}}, {"expiry": rolling(12)}, {}),
         at="/tiers/1/benefits/expiry",
         not_of=giving({"expiry": rolling(12)}, {"expiry": {"mode": "inactivity", "months": 6}})),
    case("lesser-benefit", giving({"expiry": rolling(12)}, {"expiry": {"mode": "calendar", "dates": ["12-31"]}}),
         at="/tiers/1/benefits/expiry",
         not_of=giving({"expiry": rolling(6)}, {"expiry": {"mode": "calendar", "dates": ["12-31"]}})),
    case("lesser-benefit", giving({}, {"perks": ["A", "B"]}, {"perks": ["A"]}), at="/tiers/2/benefits/perks",
         not_of=giving({}, {"perks": ["A", "B"]}, {"perks": ["B", "C", "A"]})),
    case("lesser-benefit", giving({}, {"early_access_hours": 24}, {}), at="/tiers/2/benefits/early_access_hours",
         not_of=giving({}, {"early_access_hours": 24}, {"early_access_hours": 24})),
]  # fmt: skip

GRACE = {"days": 30, "round_to": None}
TERMS = [
    case("everybody-falls", ladder(window=YEAR, validity=THIS), at="/validity/mode",
         not_of=ladder(window=YEAR, validity=NEXT)),
    case("everybody-falls", ladder(window=MEMBERSHIP, validity=THIS, downgrade="one_step"), at="/validity/mode",
         not_of=ladder(window=ROLLING, validity=THIS)),
    case("everybody-falls", ladder(window=QUARTER, validity=THIS), at="/validity/mode",
         not_of=ladder(window=QUARTER, validity=THIS, downgrade="none")),
    case("idle-downgrade", ladder(validity=FOREVER), at="/downgrade",
         not_of=ladder(validity=FOREVER, downgrade="none")),
    case("nothing-falls-out", ladder(window=LIFETIME), at="/window/mode",
         not_of=ladder(window=LIFETIME, downgrade="none")),
    case("idle-grace", ladder(validity=FOREVER, downgrade="none", grace=GRACE), at="/grace",
         not_of=ladder(validity=FOREVER, downgrade="none")),
    case("idle-grace", ladder(downgrade="none", grace={"round_to": "month"}), at="/grace",
         not_of=ladder(downgrade="none", grace={"round_to": "day"})),
    case("idle-grace", ladder(downgrade="none", grace=GRACE), at="/grace", not_of=ladder(grace=GRACE)),
]  # fmt: skip

TABLE = [*NAMES, *STEPS, *BENEFITS, *TERMS]


@pytest.mark.parametrize(("finding", "draft", "neighbour", "given"), TABLE)
def test_a_draft_is_told_what_is_wrong_and_its_neighbour_is_not(
    finding: tuple[str, str, str], draft: dict[str, Any], neighbour: dict[str, Any], given: dict[str, Any]
):
    level, code, _ = finding

    assert finding in said(findings(draft, **given))
    assert (level, code) not in {(level, code) for level, code, _ in said(findings(neighbour, **given))}


def test_of_a_plain_ladder_nothing_is_said():
    assert findings(ladder(), known={"bronze", "silver"}) == []


def test_every_code_is_raised_here_and_explained_to_marketers():
    sources = [file.read_text() for file in (ROOT / "loyalty/tiers/checks").glob("*.py")]
    raised = set(re.findall(r"(?:error|warning)\(\s*\"([a-z-]+)\"", "".join(sources)))
    howto = (ROOT / "docs/howto.md").read_text().partition("## What the check of a ladder finds")[2]

    assert raised == {param.values[0][1] for param in TABLE}
    assert raised == set(re.findall(r"^\| `([a-z-]+)`", howto.partition("\n## ")[0], re.MULTILINE))


def test_every_finding_says_what_to_do():
    for param in TABLE:
        _, draft, _, given = param.values
        for finding in findings(draft, **given):
            assert re.fullmatch(r"[A-Z'\d].*[.:?] .*[.?]", finding.detail), finding.detail


def test_errors_come_first():
    found = findings(ladder(bronze(), silver(), gold(threshold=10_000, name="Bronze")))

    assert [finding.level for finding in found] == ["error", "error", "warning"]


@pytest.mark.parametrize(
    ("code", "meant"), [("gild", "Did you mean 'gold'?"), ("platinum", "Keep the code if the tier was only to")]
)
def test_a_tier_that_goes_is_named_with_the_new_one_that_may_be_meant(code: str, meant: str):
    (found,) = findings(ladder(), known={"bronze", "silver", code})

    assert f"'{code}'" in found.detail
    assert meant in found.detail


def test_terms_of_points_are_compared_with_those_of_the_program():
    terms = {"points": UnitTerms(Activation(), Expiry(mode="never"))}

    assert said(findings(ladder(*giving({}, {"expiry": rolling(12)})), units=terms)) == [
        ("warning", "lesser-benefit", "/tiers/1/benefits/expiry")
    ]


def test_amounts_are_those_of_the_currency():
    small = ladder(bronze(), silver(threshold=5_000))

    assert findings(small, currency="JPY") == []
    assert "Did you mean 5000000?" in findings(small, currency="KWD")[0].detail
