"""What is true of the check of any draft: it answers, and what it finds no error in can be published and judges."""

from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.earning.checking import check
from loyalty.earning.checks.proposal import Known
from loyalty.earning.domain import Activity, Purchase
from loyalty.earning.queries import rule_set
from loyalty.earning.rule_schemas import GIVES, OF_ORDERS
from loyalty.earning.schemas import DraftRulesSchema
from loyalty.earning.worth import worth
from loyalty.programs.domain import Program, Stacking
from tests.builders import NOW
from tests.earning.test_domain import a_scheme
from tests.earning.test_domain_properties import CATEGORIES, SKUS, orders, rates

KNOWN = Known(frozenset(SKUS[:2]), frozenset(CATEGORIES), frozenset({"web"}))
CONDITIONS = [
    "history.orders > 3", 'history.categories["food"].orders == 0', "order.total > 1000", "line.quantity > 1",
    "member.age > 3", "activity.type == 'review'", "true", "order.total >", "1",
]  # fmt: skip
DRAFT = DraftRulesSchema()


def some(*values: str) -> Any:
    return st.just([]) | st.just([]) | st.lists(st.sampled_from(values), max_size=3)


def maybe(strategy: Any) -> Any:
    return st.none() | strategy


instants = st.datetimes(datetime(2026, 2, 20), datetime(2026, 3, 10), timezones=st.just(UTC))  # noqa: DTZ001
clocks = st.integers(0, 23).map(lambda hour: f"{hour:02}:00")
per_period = st.dictionaries(st.sampled_from(["day", "week", "month", "ever"]), st.integers(1, 300), max_size=2)


@st.composite
def time_windows(draw: st.DrawFn) -> dict[str, Any]:
    begin, hours = draw(st.integers(0, 23)), draw(st.integers(1, 23))
    weekdays = draw(st.lists(st.sampled_from(["mon", "sat", "sun"]), min_size=1, max_size=2))
    return {"weekdays": weekdays, "from": f"{begin:02}:00", "to": f"{(begin + hours) % 24:02}:00"}


@st.composite
def written_rules(draw: st.DrawFn, number: int) -> dict[str, Any]:
    """A rule as a marketer writes it, which the shapes let through."""
    kind = draw(st.sampled_from(list(GIVES)))
    gives: dict[str, Any] = {
        "base": {"points_per": {"amount": draw(st.integers(1, 1000)), "points": str(draw(rates))}},
        "multiplier": {"factor": str(draw(st.sampled_from([1, 2, "2.5", 100])))},
        "bonus": {"points": draw(st.integers(1, 10_000))},
    }[kind]
    rule = {
        "code": f"r{draw(st.integers(0, 20)) or number}", "kind": kind,
        "priority": draw(st.integers(1, 9)) * 10 + number,
        **gives,
        "skus": draw(some(*SKUS)), "exclude_skus": draw(some(*SKUS)), "categories": draw(some(*CATEGORIES)),
        "exclude_categories": draw(some(*CATEGORIES)), "channels": draw(some("web", "store")),
        "tiers": draw(some("gold")), "segments": draw(st.sampled_from([[], [], [], ["s"], ["t"]])),
        "time_windows": draw(st.lists(time_windows(), max_size=2)), "min_basis": draw(st.sampled_from([0, 0, 1, 500])),
        "milestone": draw(maybe(st.sampled_from([{"first": 2}, {"nth": 1}, {"every": 3}]))),
        "birthday": draw(maybe(st.just({"days_before": 3}))), "when": draw(st.sampled_from([None] * 12 + CONDITIONS)),
        "limits": draw(per_period), "cooldown_days": draw(st.sampled_from([0, 1, 30])),
        "caps": {"per_member": draw(per_period), "per_order": draw(maybe(st.integers(1, 300))),
                 "budget": draw(maybe(st.integers(1, 300)))},
        "activation": draw(maybe(st.just({"mode": "on_event"}))),
    }  # fmt: skip
    begin, end = sorted([draw(instants), draw(instants)])
    rule |= {"valid_from": begin.isoformat()} if draw(st.booleans()) else {}
    rule |= {"valid_to": end.isoformat()} if begin < end and draw(st.booleans()) else {}
    if kind == "bonus" and draw(st.booleans()):
        rule = {name: value for name, value in rule.items() if name not in OF_ORDERS} | {"activity": "review"}
    return rule


@st.composite
def drafts(draw: st.DrawFn) -> dict[str, Any]:
    rules = [draw(written_rules(number)) for number in range(draw(st.integers(0, 4)))]
    segment = {"code": "s", "name": "S", "when": draw(st.sampled_from(["history.orders > 3", "member.age > 3", "1"]))}
    return DRAFT.load({"rules": rules, "segments": draw(st.sampled_from([[segment], [segment], []]))})


programs = st.builds(
    lambda base, multiplier: a_scheme(stacking=Stacking(base, multiplier)),
    st.sampled_from(["sum", "best"]),
    st.sampled_from(["product", "best"]),
)


@settings(deadline=None, max_examples=60)
@given(drafts(), programs, orders())
def test_a_draft_without_errors_judges_any_order(draft: dict[str, Any], program: Program, order: Purchase):
    found = check(draft["rules"], draft["segments"], program, KNOWN, now=NOW)

    if any(finding.level == "error" for finding in found):
        return
    stored = {"version": 1, **draft, "rules": [{**rule, "version": 1} for rule in draft["rules"]]}
    in_force = rule_set(stored)
    for occasion in (order, Activity(type="review", occurred_at=NOW)):
        judged = worth(occasion, in_force, program)
        assert {award.rule_code for award in judged.awards} <= set(in_force.by_code)


@settings(deadline=None, max_examples=60)
@given(drafts(), programs)
def test_every_finding_points_to_something_that_is_there_and_says_what_to_do(draft: dict[str, Any], program: Program):
    for finding in check(draft["rules"], draft["segments"], program, KNOWN, now=NOW):
        # Advice on conditions ends with what to write.
        assert finding.detail.endswith((".", "?")) or finding.code.startswith("condition-")
        place: Any = draft
        for step in finding.pointer[1:].split("/"):
            assert isinstance(place, list) or step in place or step == "unit", finding
            place = place[int(step)] if isinstance(place, list) else place.get(step)


@settings(deadline=None, max_examples=60)
@given(drafts(), programs, orders())
def test_a_rule_that_can_never_give_anything_gives_nothing(draft: dict[str, Any], program: Program, order: Purchase):
    """That is no matter of taste: judge by the draft all the same, and there is no award."""
    never, outdone = {"nothing-covered", "never-open", "no-base", "contradiction"}, {"outdone", "no-common-base"}
    found = check(draft["rules"], draft["segments"], program, now=NOW)
    if {finding.code for finding in found if finding.level == "error"} - never:
        return
    stored = {"version": 1, **draft, "rules": [{**rule, "version": 1} for rule in draft["rules"]]}
    in_force = rule_set(stored)
    idle = [finding for finding in found if finding.level == "error" or finding.code in outdone]

    given_by = {award.rule_code for award in worth(order, in_force, program).awards}

    assert given_by.isdisjoint({in_force.rules[int(finding.pointer.split("/")[2])].code for finding in idle})
