"""Reading members."""

from collections.abc import Collection
from uuid import UUID

from psycopg.rows import class_row, scalar_row, tuple_row

from loyalty.db.session import Session, array_of
from loyalty.members.domain import Member
from loyalty.members.errors import MemberNotFound

_SELECT = """
SELECT m.member_id, m.customer_id, m.status, m.enrolled_at, m.email, m.phone, m.first_name, m.last_name, m.birth_date,
       m.locale, m.attributes, m.consents, m.referral_code, r.customer_id AS referred_by,
       t.customer_id AS merged_into
FROM members m LEFT JOIN members r ON r.member_id = m.referred_by LEFT JOIN members t ON t.member_id = m.merged_into
"""
_ONE = f"""{_SELECT} WHERE m.member_id = (
    SELECT k.member_id FROM natural_keys k WHERE k.program_id = %s AND k.kind = 'member' AND k.key = %s)"""

# A shop that looks for one customer reads a screenful; families and companies share addresses.
FOUND_MAX = 50

_FIRST = f"ORDER BY m.enrolled_at, m.member_id LIMIT {FOUND_MAX}"
_BY_EMAIL = f"{_SELECT} WHERE m.program_id = %s AND lower(m.email) = lower(%s) {_FIRST}"
_BY_PHONE = f"{_SELECT} WHERE m.program_id = %s AND m.phone = %s {_FIRST}"

_STAYING = """
WITH RECURSIVE became AS (
    SELECT m.member_id AS once, m.member_id, m.merged_into FROM members m WHERE m.member_id = ANY(%s::uuid[])
    UNION ALL
    SELECT b.once, m.member_id, m.merged_into FROM became b JOIN members m ON m.member_id = b.merged_into)
SELECT once, member_id FROM became WHERE merged_into IS NULL
"""


def member(session: Session, program_id: UUID, customer_id: str) -> Member:
    """One member. Refuses: MemberNotFound."""
    found = session.row(_ONE, (program_id, customer_id), into=class_row(Member))
    if found is None:
        raise MemberNotFound(customer_id)
    return found


def members_by_contact(session: Session, program_id: UUID, *, email: str | None, phone: str | None) -> list[Member]:
    """The members with this e-mail address (in any case of letters) or this phone number."""
    if email is not None:
        return session.rows(_BY_EMAIL, (program_id, email), into=class_row(Member))
    return session.rows(_BY_PHONE, (program_id, phone), into=class_row(Member))


_ID = "SELECT member_id FROM natural_keys WHERE program_id = %s AND kind = 'member' AND key = %s"


def member_id_of(session: Session, program_id: UUID, customer_id: str) -> UUID:
    """The internal id of a member. Refuses: MemberNotFound."""
    found = session.row(_ID, (program_id, customer_id), into=scalar_row)
    if found is None:
        raise MemberNotFound(customer_id)
    assert isinstance(found, UUID), "the registry keeps uuids"
    return found


_IDENTITIES = """
WITH RECURSIVE one AS (
    SELECT member_id, customer_id FROM members WHERE member_id = %s AND merged_into IS NULL
    UNION ALL SELECT m.member_id, m.customer_id FROM members m JOIN one ON m.merged_into = one.member_id
) SELECT member_id, customer_id FROM one
"""


def identities(session: Session, member_id: UUID) -> dict[UUID, str]:
    """A member and all that were merged into it: the customer ids by internal id. Nobody, for one that was merged."""
    return dict(session.rows(_IDENTITIES, (member_id,), into=tuple_row))


def staying(session: Session, member_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """Who members are by now: themselves, or who they were merged into."""
    return dict(session.rows(_STAYING, (array_of(member_ids),), into=tuple_row)) if member_ids else {}
