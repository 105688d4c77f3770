"""Recording activities: with how many statements, and in batches."""

import pytest

from loyalty.activities import service
from loyalty.activities.domain import NewActivity
from loyalty.core.answers import Answer
from loyalty.core.errors import DomainError
from loyalty.db.session import Session
from loyalty.earning import service as earning
from loyalty.members.errors import MemberNotFound
from loyalty.programs import service as programs
from tests.builders import NOW, a_member, a_program
from tests.statements import statements

STATEMENTS_MAX = 5


def an_activity(activity_id: str, customer_id: str = "c-42", **given) -> NewActivity:
    return NewActivity(**{
        "activity_id": activity_id, "customer_id": customer_id, "type": "review", "occurred_at": NOW, **given
    })  # fmt: skip


def publish(session: Session, program, *rules: dict) -> None:
    programs.touch(session, program.program_id)
    earning.save_draft(session, program.program_id, {"rules": list(rules), "segments": []}, now=NOW)
    earning.publish(session, program.program_id, effective_from=None, published_by="test", now=NOW)


def a_rule_that_asks_everything() -> dict:
    caps = {"per_member": {"year": 1000}, "budget": 100_000}
    return {
        "code": "review", "kind": "bonus", "priority": 1, "activity": "review", "points": 50, "limits": {"month": 2},
        "cooldown_days": 7, "caps": caps, "when": "member.days_enrolled >= 0 && history.orders >= 0",
    }  # fmt: skip


@pytest.mark.parametrize(("rules", "most"), [([], 3), ([a_rule_that_asks_everything()], STATEMENTS_MAX)])
def test_recording_an_activity_takes_at_most_five_statements(session: Session, rules: list[dict], most: int):
    program = a_program(session)
    a_member(session, program, "c-42")
    if rules:
        publish(session, program, *rules)
    service.record_activity(session, program.program_id, an_activity("warm", type="other"), now=NOW)

    with statements() as sent:
        answer = service.record_activity(session, program.program_id, an_activity("a-1"), now=NOW)

    assert not answer.replayed
    assert len(sent) == most, sent


def test_a_batch_is_judged_one_after_the_other_and_each_has_its_own_outcome(session: Session):
    program = a_program(session)
    a_member(session, program, "c-42")
    a_member(session, program, "c-43")
    publish(session, program, a_rule_that_asks_everything())
    service.record_activity(session, program.program_id, an_activity("seen"), now=NOW)

    wanted = [an_activity("seen"), an_activity("a-2"), an_activity("a-3", "c-43"), an_activity("a-4", "nobody")]
    decided = service.decide(session, program.program_id, wanted, now=NOW)
    service.keep(session, decided)

    kinds: dict[str, type[Answer | DomainError]] = {key: type(found) for key, found in decided.outcomes.items()}
    assert kinds == {"seen": Answer, "a-2": Answer, "a-3": Answer, "a-4": MemberNotFound}
    points = {
        key: b'"awarded":50' in found.body for key, found in decided.outcomes.items() if isinstance(found, Answer)
    }
    assert points == {"seen": True, "a-2": False, "a-3": True}
