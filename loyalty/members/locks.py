"""The one lock, and the registry of the shop's own ids.

Everything that changes a member begins here. Members are locked in the order of their ids (or without waiting at all),
keys are claimed in alphabetical order after all locks, so no two transactions wait for each other. The lock is
`FOR NO KEY UPDATE`: it does not hinder rows that merely refer to the member.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Literal, Protocol
from uuid import UUID

from psycopg.rows import class_row, scalar_row, tuple_row

from loyalty.db.session import Session, array_of
from loyalty.members.domain import LockedMember, Status
from loyalty.members.errors import MemberClosed, MemberNotFound, MemberSuspended

# A locked member `m`, column by column.
_LOCKED = """
m.member_id, m.customer_id, m.status, m.enrolled_at,
(SELECT t.customer_id FROM members t WHERE t.member_id = m.merged_into) AS merged_into,
(SELECT p.config_version FROM programs p WHERE p.program_id = m.program_id) AS config_version,
EXISTS (SELECT FROM referrals r WHERE r.member_id = m.member_id AND r.status = 'waiting') AS referral_waits
"""

_LOCK = f"""
SELECT {_LOCKED}{{more}} FROM natural_keys k JOIN members m ON m.member_id = k.member_id
WHERE k.program_id = %s AND k.kind = 'member' AND k.key = ANY(%s::text[])
ORDER BY m.member_id FOR NO KEY UPDATE OF m
"""
_IS_DUE = """,
EXISTS (SELECT FROM accounts a WHERE a.member_id = m.member_id AND (a.next_change_at <= %s OR a.debt > 0)) AS is_due
"""
_LOCK_AND_LOOK = _LOCK.format(more=_IS_DUE)
_LOCK = _LOCK.format(more="")

# Who was merged is not locked: nothing of theirs changes any more.
_LOCK_BY_ID = f"""
SELECT {_LOCKED} FROM members m WHERE m.member_id = %s AND m.merged_into IS NULL FOR NO KEY UPDATE OF m
"""
_LOCK_HOLDER = f"""
SELECT {_LOCKED} FROM natural_keys k JOIN members m ON m.member_id = k.member_id
WHERE k.program_id = %s AND k.kind = %s AND k.key = %s AND m.merged_into IS NULL FOR NO KEY UPDATE OF m
"""
_HOLD_STILL = "SELECT 1 FROM members WHERE member_id = %s FOR NO KEY UPDATE"
_MERGED_INTO = "SELECT merged_into FROM members WHERE member_id = %s"

# Who has something due, by an index of instants: of the ledger, or of tiers. The choice and the lock are one statement,
# so that a member whom someone else has locked is passed over for the next one instead of being waited for: hence no
# order of ids.
_LOCK_DUE = f"""
SELECT m.program_id, {_LOCKED} FROM {{table}} a JOIN members m ON m.member_id = a.member_id
WHERE a.next_change_at <= %s AND a.program_id NOT IN (SELECT program_id FROM programs WHERE clock_ahead > '0')
ORDER BY a.next_change_at LIMIT %s FOR NO KEY UPDATE OF m SKIP LOCKED
"""

# Of one program, by the index of its members: a sandbox may be years ahead, and by the index of instants one would
# pass everything that falls due in all other programs until then.
_LOCK_DUE_OF = f"""
SELECT {_LOCKED} FROM {{table}} a JOIN members m ON m.member_id = a.member_id
WHERE a.program_id = %s AND a.next_change_at <= %s
ORDER BY a.member_id LIMIT %s FOR NO KEY UPDATE OF m SKIP LOCKED
"""

# Lock the members, then claim the keys of those who may act; a key that is taken already is not claimed.
_LOCK_AND_CLAIM = """
WITH wanted (customer_id, key, fingerprint) AS (VALUES {values}),
locked AS MATERIALIZED ({lock}),
claimed AS (
    INSERT INTO natural_keys (program_id, kind, key, member_id, fingerprint)
    SELECT %s, %s, w.key, l.member_id, w.fingerprint
    FROM wanted w JOIN locked l ON l.customer_id = w.customer_id AND l.status = 'active'
    ORDER BY w.key ON CONFLICT DO NOTHING RETURNING key
)
SELECT w.key, c.key IS NOT NULL, l.member_id, l.customer_id, l.status, l.enrolled_at, l.merged_into,
       l.config_version, l.referral_waits, l.is_due
FROM wanted w LEFT JOIN locked l ON l.customer_id = w.customer_id LEFT JOIN claimed c ON c.key = w.key
"""

_CLAIM = """
INSERT INTO natural_keys (program_id, kind, key, member_id, fingerprint) VALUES {values}
ON CONFLICT DO NOTHING RETURNING key
"""

# As `_CLAIM`, however many they are.
_CLAIM_ALL = """
INSERT INTO natural_keys (program_id, kind, key, member_id)
SELECT %s, %s, w.key, w.owner FROM unnest(%s::text[], %s::uuid[]) AS w (key, owner)
ORDER BY w.key ON CONFLICT DO NOTHING RETURNING key
"""

_DISCLAIM = "DELETE FROM natural_keys WHERE program_id = %s AND kind = %s AND key = ANY(%s::text[])"

_HOLDER = "SELECT member_id, fingerprint FROM natural_keys WHERE program_id = %s AND kind = %s AND key = %s"


_LOCK_BY_IDS = f"""
SELECT {_LOCKED} FROM members m WHERE m.member_id = ANY(%s::uuid[]) AND m.merged_into IS NULL
ORDER BY m.member_id FOR NO KEY UPDATE OF m
"""

# The tables whose rows change by themselves, at their `next_change_at`.
Due = Literal["accounts", "tier_standings"]


class Standing(Protocol):
    """A member as far as it matters whether they may do anything."""

    @property
    def customer_id(self) -> str:
        """The shop's own id."""

    @property
    def status(self) -> Status:
        """Whether they are active."""

    @property
    def merged_into(self) -> str | None:
        """Who has what was theirs."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One of the shop's ids that a member's request wants to use for the first time."""

    customer_id: str
    key: str
    fingerprint: bytes


@dataclass(frozen=True, slots=True)
class Claimed:
    """What became of a claim: `is_new` when the id was free and is now ours. `member` is None when unknown."""

    is_new: bool
    member: LockedMember | None


@dataclass(frozen=True, slots=True)
class Holder:
    """Who used an id first, and with which content."""

    member_id: UUID
    fingerprint: bytes | None


def lock_member(session: Session, program_id: UUID, customer_id: str) -> LockedMember:
    """Lock one member. Refuses: MemberNotFound."""
    found = session.row(_LOCK, (program_id, array_of([customer_id])), into=class_row(LockedMember))
    if found is None:
        raise MemberNotFound(customer_id)
    return found


def lock_members(session: Session, program_id: UUID, customer_ids: Sequence[str]) -> dict[str, LockedMember]:
    """Lock several members, in the order of their ids; who is unknown is absent from the answer."""
    found = session.rows(_LOCK, (program_id, array_of(customer_ids)), into=class_row(LockedMember))
    return {member.customer_id: member for member in found}


def hold_still(session: Session, member_id: UUID) -> None:
    """Lock whoever it is, merged or not, for what changes nothing but their books' upkeep."""
    session.run(_HOLD_STILL, (member_id,))


def lock_by_id(session: Session, member_id: UUID) -> LockedMember | None:
    """Lock a member or, if it was merged into another one, that one. None: nobody's id, as that of a guest's order."""
    while True:
        found = session.row(_LOCK_BY_ID, (member_id,), into=class_row(LockedMember))
        if found is not None:
            return found
        into = session.row(_MERGED_INTO, (member_id,), into=scalar_row)
        if into is None:
            return None
        member_id = into


def lock_holder(session: Session, program_id: UUID, kind: str, key: str) -> tuple[UUID, LockedMember] | None:
    """Lock the member who used an id or, if that one was merged, who it was merged into; beside it, who used the id.

    None: nobody used it, or nobody's id stands for who did.
    """
    found = session.row(_LOCK_HOLDER, (program_id, kind, key), into=class_row(LockedMember))
    if found is not None:
        return found.member_id, found
    owner = holder(session, program_id, kind, key)
    member = None if owner is None else lock_by_id(session, owner.member_id)
    return None if owner is None or member is None else (owner.member_id, member)


def lock_due_members(session: Session, table: Due, *, now: datetime, limit: int) -> dict[UUID, list[LockedMember]]:
    """Lock the members of at most `limit` rows that are due at `now` and free, by program. Waits for nobody.

    Programs whose clock is not the real one are left out.
    """
    found: dict[UUID, dict[UUID, LockedMember]] = {}
    for program_id, *of in session.rows(_LOCK_DUE.format(table=table), (now, limit), into=tuple_row):
        member = LockedMember(*of)
        # Once each: two units of a member may be due.
        found.setdefault(program_id, {})[member.member_id] = member
    return {program_id: list(members.values()) for program_id, members in found.items()}


def lock_due_members_of(
    session: Session, table: Due, program_id: UUID, *, now: datetime, limit: int
) -> list[LockedMember]:
    """Lock the members of at most `limit` rows of a program that are due at `now` and free. Waits for nobody."""
    found = session.rows(_LOCK_DUE_OF.format(table=table), (program_id, now, limit), into=class_row(LockedMember))
    return list({member.member_id: member for member in found}.values())


def lock_by_ids(session: Session, member_ids: Sequence[UUID]) -> list[LockedMember]:
    """Lock members in the order of their ids; who was merged is left out."""
    return session.rows(_LOCK_BY_IDS, (array_of(member_ids),), into=class_row(LockedMember))


def lock_and_claim(
    session: Session, program_id: UUID, kind: str, claims: Sequence[Claim], *, now: datetime
) -> dict[str, Claimed]:
    """Lock the members of `claims` and claim their keys of one `kind`, in one statement; by key."""
    parameters: list[object] = [part for c in claims for part in (c.customer_id, c.key, c.fingerprint)]
    parameters += [now, program_id, array_of({c.customer_id for c in claims}), program_id, kind]
    rows = session.rows(_lock_and_claim(len(claims)), parameters, into=tuple_row)
    return {key: Claimed(is_new, LockedMember(*of) if of[0] else None) for key, is_new, *of in rows}


def claim(session: Session, program_id: UUID, kind: str, keys: Sequence[tuple[str, UUID, bytes | None]]) -> set[str]:
    """Claim keys of one `kind` for ids that need no lock; answers those that were free."""
    if not keys:
        return set()
    ordered = sorted(keys, key=lambda k: k[0])
    parameters = [part for key, owner, print_ in ordered for part in (program_id, kind, key, owner, print_)]
    return set(session.rows(_claim(len(keys)), parameters, into=scalar_row))


def claim_all(session: Session, program_id: UUID, kind: str, owners: Mapping[str, UUID]) -> set[str]:
    """`claim` for thousands of keys, each with its owner."""
    parameters = (program_id, kind, array_of(owners), array_of(owners.values()))
    return set(session.rows(_CLAIM_ALL, parameters, into=scalar_row))


def disclaim(session: Session, program_id: UUID, kind: str, keys: Sequence[str]) -> None:
    """Free keys that this transaction claimed for what it refuses after all."""
    session.run(_DISCLAIM, (program_id, kind, array_of(keys)))


def holder(session: Session, program_id: UUID, kind: str, key: str) -> Holder | None:
    """Who used an id first; None when nobody has."""
    return session.row(_HOLDER, (program_id, kind, key), into=class_row(Holder))


def require_active(member: Standing) -> None:
    """Refuse what only an active member may do. Refuses: MemberClosed, MemberSuspended."""
    if member.status == "closed":
        raise MemberClosed(member.customer_id, merged_into=member.merged_into)
    if member.status == "suspended":
        raise MemberSuspended(member.customer_id)


@lru_cache(maxsize=64)
def _lock_and_claim(count: int) -> str:
    # The types of a VALUES list are those of its first row.
    values = ", ".join(["(%s::text, %s::text, %s::bytea)"] + ["(%s, %s, %s)"] * (count - 1))
    return _LOCK_AND_CLAIM.format(values=values, lock=_LOCK_AND_LOOK)


@lru_cache(maxsize=64)
def _claim(count: int) -> str:
    return _CLAIM.format(values=", ".join(["(%s, %s, %s, %s, %s)"] * count))
