"""A preview is the record that follows it, whatever the rules, the order and the member."""

from typing import Any

import orjson
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from loyalty.db.session import Session
from loyalty.earning import service as earning
from loyalty.earning.errors import RulesInvalid
from loyalty.orders.previews import explain_order, preview_order
from loyalty.orders.service import record_order
from loyalty.programs import service as programs
from tests.builders import NOW, a_line, a_member, a_program, an_order

WHEN = st.sampled_from([
    None, "order.basis > 2000", "history.orders >= 1", 'history.categories["food"].spend > 1000', "member.age >= 18",
    'member.attributes.club == "A"', "local.weekday == 7",
])  # fmt: skip
CAPS = st.sampled_from([
    {}, {}, {"per_order": 7}, {"per_member": {"month": 25}}, {"per_member": {"ever": 40, "day": 12}}, {"budget": 30},
])  # fmt: skip


@st.composite
def rule_sets(draw: st.DrawFn) -> list[dict[str, Any]]:
    rules: list[dict[str, Any]] = []
    for number in range(draw(st.integers(1, 5))):
        rule: dict[str, Any] = {"code": f"r{number}", "priority": number, "when": draw(WHEN), "caps": draw(CAPS)}
        kind = draw(st.sampled_from(["base", "multiplier", "bonus"]))
        gives = {
            "base": {"points_per": {"amount": 100, "points": draw(st.sampled_from(["1", "0.3", "2.5"]))}},
            "multiplier": {"factor": draw(st.sampled_from(["2", "1.25"]))},
            "bonus": {"points": draw(st.integers(1, 30)), "limits": draw(st.sampled_from([{}, {"day": 1}]))},
        }
        rule |= {"kind": kind, **gives[kind], "categories": draw(st.sampled_from([[], [], ["food"]]))}
        if kind == "bonus" and draw(st.booleans()):
            rule["milestone"] = draw(st.sampled_from([{"first": 1}, {"every": 2}]))
        rules.append({name: value for name, value in rule.items() if value or name == "priority"})
    return rules


orders = st.lists(
    st.lists(
        st.tuples(st.integers(0, 3000), st.integers(1, 3), st.sampled_from([None, "food", "food > fruit", "other"])),
        min_size=1,
        max_size=4,
    ),
    min_size=1,
    max_size=4,
)


@given(rule_sets(), orders, st.sampled_from([{}, {"attributes": {"club": "A"}}]))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_a_preview_equals_the_record_that_follows_it(
    session: Session, rules: list[dict[str, Any]], baskets: list[Any], profile: dict[str, Any]
):
    program = a_program(session)
    a_member(session, program, "c-42", **profile)
    programs.touch(session, program.program_id)
    earning.save_draft(session, program.program_id, {"rules": rules, "segments": []}, now=NOW)
    try:
        earning.publish(session, program.program_id, effective_from=None, published_by="me", now=NOW)
    except RulesInvalid:
        reject()
    for number, basket in enumerate(baskets):
        lines = [
            a_line(price, line_id=str(n), quantity=quantity, category=category)
            for n, (price, quantity, category) in enumerate(basket)
        ]
        order = an_order(*lines, order_id=f"o-{number}")

        previewed = preview_order(session, program.program_id, order, now=NOW)
        recorded = orjson.loads(record_order(session, program.program_id, order, now=NOW).body)

        refused = orjson.loads(orjson.dumps(previewed.pop("refused")))
        del previewed["rules_version"]
        assert orjson.loads(orjson.dumps(previewed, option=orjson.OPT_UTC_Z)) == {**recorded, "status": "preview"}
        explained = explain_order(session, program.program_id, order.order_id)
        assert orjson.loads(orjson.dumps(explained["refused"])) == refused
