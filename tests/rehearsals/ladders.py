"""A program of ladders with members here and there on them, and a draft that is tried, or published."""

from collections import Counter
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from psycopg.rows import scalar_row, tuple_row

from loyalty.core.ids import new_id
from loyalty.db.batches import in_batches
from loyalty.db.session import reading, transaction
from loyalty.db.writer import write
from loyalty.members import locks
from loyalty.programs import queries as programs
from loyalty.programs import service as program_service
from loyalty.programs.domain import Program
from loyalty.rehearsals import ladders
from loyalty.rehearsals.domain import Outcome, Told
from loyalty.tiers import moving, queries, recounting
from loyalty.tiers import reading as tiers
from loyalty.tiers.domain import Grant
from loyalty.tiers.keeping import changes_of
from loyalty.tiers.models import LadderMoveRow, LadderRow
from loyalty.tiers.standing import grant
from tests.builders import NOW
from tests.rehearsals.builders import buy, enrol

DAY = timedelta(days=1)


def tier(code: str, threshold: int, multiplier: str = "1") -> dict[str, Any]:
    """A tier as it is stored."""
    return {"code": code, "name": code.title(), "threshold": threshold, "benefits": {"multiplier": multiplier}}


METALS = (tier("bronze", 0), tier("silver", 5_000, "1.5"), tier("gold", 20_000, "2"))


def a_ladder(*tiers: dict[str, Any], **given: Any) -> dict[str, Any]:
    """A ladder as it is stored: what was spent in the last twelve months, kept for six, one step down."""
    defaults = {
        "basis": "spend", "window": {"mode": "rolling", "months": 12}, "validity": {"mode": "months", "months": 6},
        "downgrade": "one_step", "grace": {"days": 10}, "tiers": list(tiers or METALS),
    }  # fmt: skip
    return {**defaults, **given}


def publish(program: Program, ladder: dict[str, Any], *, members: str = "now", at: datetime | None = None) -> None:
    """Publish a ladder: the first one in force for ever, others from an instant on. Nobody is moved yet."""
    program_id = program.program_id
    with transaction() as session:
        program_service.touch(session, program_id)
        newest = session.row("SELECT max(version) FROM ladders WHERE program_id = %s", (program_id,), into=scalar_row)
        version = (newest or 0) + 1
        row = {"program_id": program_id, "version": version}
        session.orm.add(LadderRow(**row, ladder=ladder, moving=members, effective_from=at, published_at=at or NOW,
                                  published_by="ops"))  # fmt: skip
        session.orm.add(LadderMoveRow(**row, effective_from=at or NOW, after=UUID(int=0), members_done=0, up=0, down=0))


def move(now: datetime) -> None:
    """Move everybody who is to be moved."""
    in_batches(lambda session: moving.move_batch(session, now=now, limit=7))


def give(program: Program, customer_id: str, code: str, *, kind: Any = "pinned", until: datetime | None = None) -> None:
    """Grant a tier at NOW."""
    with transaction() as session:
        member = locks.lock_member(session, program.program_id, customer_id)
        found = programs.load(session, program.program_id)
        published = queries.ladders(session, found)
        standing = recounting.standing_of(session, published, member, None, now=NOW)
        given = Grant(kind=kind, tier=code, since=NOW, until=until, reason="nice", granted_at=NOW)
        standing = grant(standing, published, given, now=NOW)
        write(session, changes_of(standing, published, program.program_id, customer_id, now=NOW))


def rehearsed(
    program: Program, ladder: dict[str, Any], *, members: str = "now", now: datetime = NOW,
    told: Told = lambda _done, _total: True,
) -> Outcome:  # fmt: skip
    """A rehearsal of publishing a ladder at an instant."""
    with reading() as session:
        program = programs.load(session, program.program_id)
    return ladders.perform(program, ladders.drafted({"ladder": ladder, "moving": members}), told=told, now=now)


def tiers_now(program: Program, now: datetime) -> dict[str, str | None]:
    """What every customer has, asked one by one as a request does."""
    with reading() as session:
        rows = session.rows(
            "SELECT member_id, enrolled_at, customer_id FROM members WHERE program_id = %s AND status <> 'closed'",
            (program.program_id,), into=tuple_row,
        )  # fmt: skip
        published = queries.ladders(session, programs.load(session, program.program_id))
        found = tiers.tiers_of(session, published, [(member_id, at) for member_id, at, _ in rows], now=now)
    return {customer_id: found[m].code if m in found else None for m, _, customer_id in rows}


def matrix(before: dict[str, str | None], after: dict[str, str | None]) -> Counter[tuple[str | None, str | None]]:
    """How many went from where to where."""
    return Counter((code, after[customer_id]) for customer_id, code in before.items())


def matrix_of(result: dict[str, Any]) -> Counter[tuple[str | None, str | None]]:
    """The same, as a rehearsal says it."""
    return Counter({(each["from"], each["to"]): each["members"] for each in result["matrix"]})


def a_crowd(program: Program, random: Random, *, ladder: dict[str, Any] | None, count: int) -> None:
    """Members with any past: bought before there was a ladder, since, long ago, never; pinned, imported."""
    names = [f"m-{new_id().hex[-12:]}" for _ in range(count)]
    enrol(program, *names)
    for name in names[: count // 2]:
        for _ in range(random.randrange(4)):
            buy(program, name, NOW - random.randrange(1, 700) * DAY, random.choice((900, 2_500, 6_000, 15_000)))
    if ladder is None:
        return
    publish(program, ladder)
    for name in names[count // 4 : -(count // 8)]:
        for _ in range(random.randrange(4)):
            buy(program, name, NOW - random.randrange(1, 700) * DAY, random.choice((900, 2_500, 6_000, 15_000)))
    for name in random.sample(names, count // 6):
        code = random.choice([each["code"] for each in ladder["tiers"]])
        until = random.choice((None, NOW + 20 * DAY, NOW + 400 * DAY))
        give(program, name, code, kind=random.choice(("pinned", "pinned", "imported")), until=until)
