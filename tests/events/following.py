"""Telling facts, and following the log."""

import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import scalar_row

from loyalty.db.paging import Window
from loyalty.db.session import Session, reading
from loyalty.db.writer import Changes, write
from loyalty.events import queries
from loyalty.events.domain import Fact
from loyalty.events.queries import RecordedFact
from loyalty.events.service import tell
from loyalty.members.domain import LockedMember
from tests.api import Api
from tests.builders import NOW, new_id

# Longer than any test beside this one keeps a transaction open: the order of the log is that of the whole server.
PATIENCE_SECONDS = 120

_UNDER_WAY = """
SELECT coalesce(max(xid) >= pg_snapshot_xmin(pg_current_snapshot())::text::bigint, false)
FROM events WHERE program_id = %s
"""


def a_fact(number: int = 1, *, member: LockedMember | None = None, occurred_at: datetime = NOW, **given: Any) -> Fact:
    """Little is left of a reward, unless said otherwise; of a member, if one is given."""
    data = {"reward": "five-off", "remaining": number, "threshold": 10}
    whose = {"member_id": member.member_id, "customer_id": member.customer_id} if member else {}
    return Fact(
        **{"type": "reward.stock_low", "version": 1, "occurred_at": occurred_at, "data": data, **whose, **given}
    )


def somebody(customer_id: str = "c-42") -> LockedMember:
    """A member as facts know one, who was never enrolled: that would be told."""
    return LockedMember(new_id(), customer_id, "active", NOW, None, 1, referral_waits=False)


def told(session: Session, program_id: UUID, *facts: Fact, now: datetime = NOW) -> None:
    """Write facts and nothing else."""
    changes = Changes()
    tell(changes, program_id, *facts, now=now)
    write(session, changes)


def all_are_visible(program_id: UUID) -> None:
    """Wait until everything that began before the program's last fact has ended, in the tests of all workers."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    with reading() as session:
        while session.row(_UNDER_WAY, (program_id,), into=scalar_row):
            assert time.monotonic() < deadline, "some other test has had a transaction open for very long"
            time.sleep(0.02)


def facts(api: Api, query: str = "") -> list[dict[str, Any]]:
    """What the log of a shop tells of all that has been done so far."""
    with api.app.app_context():
        all_are_visible(api.program.program_id)
    return api.get(f"/v1/events{query}").json["data"]


def follow(program_id: UUID, *, limit: int = 3, after: str | None = None) -> Iterator[RecordedFact]:
    """What is new in the log since `after`, page by page, by the cursor of the last fact seen."""
    with reading() as session:
        while page := queries.facts(session, program_id, Window(limit, after)).data:
            yield from page
            after = page[-1].cursor
