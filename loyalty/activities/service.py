"""Recording activities: gather, decide, write. One activity or five hundred take the same path."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from loyalty.activities import events
from loyalty.activities.domain import RESERVED, NewActivity, is_own_id, of_its_type, receipt
from loyalty.activities.errors import ActivityReserved, OccurredInFuture
from loyalty.activities.models import ActivityRow
from loyalty.core.answers import Answer
from loyalty.core.errors import DomainError
from loyalty.core.ids import fingerprint
from loyalty.db.session import Session, array_of
from loyalty.db.writer import Changes, write
from loyalty.earning import judging
from loyalty.earning import queries as earning
from loyalty.earning.crediting import enter
from loyalty.earning.domain import CLOCK_SKEW
from loyalty.earning.explaining import refusals
from loyalty.earning.judging import Case, Verdict
from loyalty.earning.metrics import observe
from loyalty.earning.rules import RuleSet
from loyalty.events import service as facts
from loyalty.ledger import service as ledger
from loyalty.members import locks, receipts
from loyalty.members.domain import LockedMember, Member
from loyalty.members.errors import MemberNotFound
from loyalty.members.receipts import Request
from loyalty.programs import queries as programs
from loyalty.programs.domain import POINTS, Program

Outcome = Answer | DomainError


@dataclass(slots=True)
class Decided:
    """What became of each activity, by its id, and what is still to be written."""

    outcomes: dict[str, Outcome] = field(default_factory=dict)
    changes: Changes = field(default_factory=Changes)
    verdicts: list[Verdict] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Claimed:
    """An activity whose id is now ours, and its member, locked."""

    activity: NewActivity
    request: Request
    member: LockedMember


def record_activity(session: Session, program_id: UUID, activity: NewActivity, *, now: datetime) -> Answer:
    """Record an activity and award the points it earns.

    Refuses: ActivityReserved, OccurredInFuture, MemberNotFound, MemberClosed, MemberSuspended, IdempotencyConflict.
    """
    if refused := refusal(activity, now):
        raise refused
    decided = decide(session, program_id, [activity], now=now)
    keep(session, decided)
    outcome = decided.outcomes[activity.activity_id]
    if isinstance(outcome, DomainError):
        raise outcome
    return outcome


def refusal(activity: NewActivity, now: datetime) -> DomainError | None:
    """Why an activity that a shop tells of is refused, whoever it is of."""
    if activity.type in RESERVED or is_own_id(activity.activity_id):
        return ActivityReserved(activity.type, activity.activity_id)
    if activity.occurred_at > now + CLOCK_SKEW:
        detail = f"occurred_at lies in the future; it is {now.isoformat()} here."
        return OccurredInFuture(detail, occurred_at=activity.occurred_at)
    return None


def decide(session: Session, program_id: UUID, activities: Sequence[NewActivity], *, now: datetime) -> Decided:
    """Claim the ids of activities, which are distinct, lock their members, and decide what each earns.

    Activities of one member are judged in the order given. Each has its own outcome; the caller keeps it all.
    """
    decided = Decided()
    ours = _claim(session, program_id, activities, decided, now=now)
    if not ours:
        return decided
    members = {each.member.member_id: each.member for each in ours}
    # Judged by the configuration as it was when the members were locked.
    seen = max(member.config_version for member in members.values())
    program = programs.current(session, program_id, config_version=seen)
    books = ledger.open_books(session, program, list(members.values()), now=now, news_of=_oldest(ours))
    cases = [case_of(each.activity, each.member, rules_for(session, program, each.activity, now)) for each in ours]
    decision = judging.judge(session, program, cases, now=now)
    decided.verdicts = decision.verdicts
    for each, case, verdict in zip(ours, cases, decided.verdicts, strict=True):
        activity, member_id, book = each.activity, case.member_id, books[case.member_id]
        seqs = enter(book, activity, verdict.judgement, reference=activity.activity_id)
        told = receipt(activity, verdict.judgement.awards, ledger.brief(book, POINTS), verdict.tier, now=now)
        refused = refusals(activity, case.rule_set, program, verdict.judged.facts, verdict.judgement)
        told["refused"] = of_its_type(refused)
        answer = receipts.keep(decided.changes, each.request, member_id, told)
        decided.outcomes[activity.activity_id] = answer
        row = {"award_seqs": array_of(seqs), "judged": verdict.judged.document()}
        decided.changes.insert(ActivityRow, _row(activity, member_id, program_id, now) | row)
        points = told["points"]["awarded"]
        fact = events.recorded(activity.activity_id, activity.type, each.member, points=points, occurred_at=now)
        facts.tell(decided.changes, program_id, fact, now=now)
    for book in books.values():
        decided.changes.add(ledger.changes_of(book, program_id, now=now))
    decided.changes.add(decision.changes(program_id, members, now=now))
    return decided


def keep(session: Session, decided: Decided) -> None:
    """Write what was decided."""
    write(session, decided.changes)
    observe(decided.verdicts)


def rules_for(session: Session, program: Program, activity: NewActivity, now: datetime) -> RuleSet:
    """The rules in force when it happened, which is not later than now, whatever the shop's clock says."""
    return earning.rules_at(session, program, min(activity.occurred_at, now))


def case_of(activity: NewActivity, member: LockedMember | Member, rules: RuleSet) -> Case:
    """An activity of a member as a case to be judged."""
    return Case(member.member_id, member.enrolled_at, activity, rules, activity.activity_id)


def _claim(
    session: Session, program_id: UUID, activities: Sequence[NewActivity], decided: Decided, *, now: datetime
) -> list[_Claimed]:
    """The activities whose ids were free, with their members, locked; what becomes of the others is decided here."""
    if not activities:
        return []
    requests = [Request("activity", each.activity_id, fingerprint(each)) for each in activities]
    asked = list(zip(activities, requests, strict=True))
    wanted = [locks.Claim(each.customer_id, request.key, request.content) for each, request in asked]
    claimed = locks.lock_and_claim(session, program_id, "activity", wanted, now=now)
    ours = []
    for each, request in asked:
        claim = claimed[request.key]
        if claim.is_new and claim.member is not None:
            ours.append(_Claimed(each, request, claim.member))
        else:
            decided.outcomes[request.key] = _unclaimed(session, program_id, request, each, claim.member)
    return ours


def _unclaimed(
    session: Session, program_id: UUID, request: Request, activity: NewActivity, member: LockedMember | None
) -> Outcome:
    """What becomes of an activity whose id was not free to claim: seen before, or not allowed to this customer."""
    try:
        if answer := receipts.answer_given(session, program_id, request):
            return answer
        if member is not None:
            locks.require_active(member)
    except DomainError as refused:
        return refused
    return MemberNotFound(activity.customer_id)


def _oldest(ours: Sequence[_Claimed]) -> dict[UUID, datetime]:
    """When the first of each member's activities happened."""
    oldest: dict[UUID, datetime] = {}
    for each in ours:
        member_id, at = each.member.member_id, each.activity.occurred_at
        oldest[member_id] = min(at, oldest.get(member_id, at))
    return oldest


def _row(activity: NewActivity, member_id: UUID, program_id: UUID, now: datetime) -> dict[str, Any]:
    return {
        "member_id": member_id,
        "activity_id": activity.activity_id,
        "program_id": program_id,
        "customer_id": activity.customer_id,
        "type": activity.type,
        "status": "recorded",
        "occurred_at": activity.occurred_at,
        "recorded_at": now,
        "cancelled_at": None,
        "properties": activity.properties,
    }
