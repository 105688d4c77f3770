"""Keeping the catalogue: drafts, publishing, withdrawing, codes for the pool. Each version stays readable."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from loyalty.audit import service as audit
from loyalty.audit.domain import COMMAND_LINE
from loyalty.core.errors import NothingToPublish
from loyalty.core.findings import Finding
from loyalty.db.session import Session
from loyalty.earning.queries import segments_at
from loyalty.events import service as facts
from loyalty.programs import queries as programs
from loyalty.rewards import arranging, catalogue, events, stock
from loyalty.rewards.catalogue import RewardDraft
from loyalty.rewards.checking import check
from loyalty.rewards.domain import NewReward, Reward
from loyalty.rewards.errors import NoPool, RewardInvalid, RewardNotFound, RewardWithdrawn, StockTooLow
from loyalty.rewards.models import RewardDraftRow, RewardRow, RewardVersionRow
from loyalty.rewards.storing import content_of, document_of
from loyalty.tiers import queries as tiers
from loyalty.vouchers import pools


def put_reward(
    session: Session,
    program_id: UUID,
    code: str,
    new: NewReward,
    *,
    keep_stock: bool = False,
    actor: str = COMMAND_LINE,
    now: datetime,
) -> Reward:
    """Publish a reward, a new one or another version. The caller has locked the program's configuration.

    `stock` is what is left to give from now on; with `keep_stock`, only if it is another than was last given. What is
    held for redemptions is theirs beside it. Refuses: RewardInvalid.
    """
    errors = [asdict(found) for found in findings(session, program_id, new, now=now) if found.level == "error"]
    if errors:
        raise RewardInvalid("The reward cannot be published as it is: POST …/check says more.", errors=errors)
    before = _current(session, program_id, code, now=now)
    row = session.orm.get(RewardRow, (program_id, code)) or RewardRow(program_id=program_id, code=code, version=0)
    restocked = not keep_stock or before is None or before.stock != new.stock
    was_pool = before is not None and before.fulfilment == "pool"
    row.content, row.stock, row.withdrawn = content_of(new), new.stock, False
    session.orm.add(row)
    _record_version(session, row, actor=actor, now=now)
    if new.fulfilment == "pool":
        if not was_pool:
            stock.restock(session, program_id, code, pools.free(session, program_id, code))
    elif restocked or was_pool:
        stock.restock(session, program_id, code, new.stock)
    fact = events.published(
        code, version=row.version, first=before is None, points=new.points, valid_from=new.valid_from,
        valid_to=new.valid_to, occurred_at=now,
    )  # fmt: skip
    facts.tell_now(session, program_id, fact, now=now)
    action = "reward.changed" if before else "reward.created"
    return _audited(session, program_id, code, action, before=before, actor=actor, now=now)


def withdraw(session: Session, program_id: UUID, code: str, *, actor: str = COMMAND_LINE, now: datetime) -> Reward:
    """Take a reward out of the catalogue. What is held of it can be confirmed; codes that were given stay good.

    Refuses: RewardNotFound, RewardWithdrawn.
    """
    row = session.orm.get(RewardRow, (program_id, code))
    before = _current(session, program_id, code, now=now)
    if row is None or before is None:
        raise RewardNotFound(code)
    if before.withdrawn:
        raise RewardWithdrawn(code)
    row.withdrawn = True
    _record_version(session, row, actor=actor, now=now)
    facts.tell_now(session, program_id, events.withdrawn(code, version=row.version, occurred_at=now), now=now)
    return _audited(session, program_id, code, "reward.withdrawn", before=before, actor=actor, now=now)


def save_draft(
    session: Session, program_id: UUID, code: str, new: NewReward, *, actor: str = COMMAND_LINE, now: datetime
) -> RewardDraft:
    """Replace the draft of a reward. The caller has locked the program's configuration and checked the version."""
    row = _draft_row(session, program_id, code)
    before = _draft_document(row)
    row.content, row.stock, row.version, row.updated_at = content_of(new), new.stock, row.version + 1, now
    session.orm.add(row)
    session.orm.flush()
    audit.record(
        session, program_id, actor=actor, action="reward.drafted", resource=f"rewards/{code}/draft", before=before,
        after=_draft_document(row), now=now,
    )  # fmt: skip
    return RewardDraft(row.version, new, begun=True)


def publish(session: Session, program_id: UUID, code: str, *, actor: str = COMMAND_LINE, now: datetime) -> Reward:
    """Publish the draft of a reward, and stock it anew where the draft says another number.

    Refuses: RewardDraftNotFound, NothingToPublish, RewardInvalid.
    """
    new = _begun(session, program_id, code)
    row = _draft_row(session, program_id, code)
    row.content, row.stock, row.version, row.updated_at = None, None, row.version + 1, now
    return put_reward(session, program_id, code, new, keep_stock=True, actor=actor, now=now)


def add_codes(
    session: Session, program_id: UUID, code: str, codes: Sequence[str], *, actor: str = COMMAND_LINE, now: datetime
) -> dict[str, Any]:
    """Upload codes for a reward that gives them out of a pool; answers how many there are then.

    Refuses: RewardNotFound, NoPool, DuplicateCodes.
    """
    reward = catalogue.reward(session, program_id, code, now=now)
    if reward.fulfilment != "pool":
        raise NoPool(code)
    added = pools.add(session, program_id, code, codes, now=now)
    stock.add(session, program_id, code, added)
    left = stock.left(session, program_id, now=now, codes=[code])[code]
    audit.record(
        session, program_id, actor=actor, action="reward.codes_added", resource=f"rewards/{code}/codes",
        before={"left": left - added}, after={"left": left, "added": added}, now=now,
    )  # fmt: skip
    return {"reward": code, "added": added, "left": left}


def change_stock(
    session: Session, program_id: UUID, code: str, change: int, *, actor: str = COMMAND_LINE, now: datetime
) -> Reward:
    """There are so many more to give, or fewer. Refuses: RewardNotFound, StockTooLow."""
    before = catalogue.reward(session, program_id, code, now=now)
    if before.stock is None or not stock.change(session, program_id, code, change):
        raise StockTooLow(code, left=before.left, pool=before.fulfilment == "pool")
    return _audited(session, program_id, code, "reward.restocked", before=before, actor=actor, now=now)


def review(session: Session, program_id: UUID, code: str, *, now: datetime) -> list[Finding]:
    """What there is to be said of the draft of a reward. Refuses: RewardDraftNotFound, NothingToPublish."""
    return findings(session, program_id, _begun(session, program_id, code), now=now)


def findings(session: Session, program_id: UUID, new: NewReward, *, now: datetime) -> list[Finding]:
    """What there is to be said of a reward before it is published."""
    program = programs.load(session, program_id)
    in_force = tiers.ladders(session, program).at(now)
    return check(new, in_force, segments_at(session, program, now), now=now)


def _begun(session: Session, program_id: UUID, code: str) -> NewReward:
    draft = catalogue.begun_draft(session, program_id, code)
    if draft.reward is None or not draft.begun:
        raise NothingToPublish(f"There is no draft of '{code}'; PUT one first.")
    return draft.reward


def _current(session: Session, program_id: UUID, code: str, *, now: datetime) -> Reward | None:
    try:
        return catalogue.reward(session, program_id, code, now=now)
    except RewardNotFound:
        return None


def _record_version(session: Session, row: RewardRow, *, actor: str, now: datetime) -> None:
    row.version += 1
    row.updated_at = now
    session.orm.add(
        RewardVersionRow(
            program_id=row.program_id,
            code=row.code,
            version=row.version,
            withdrawn=row.withdrawn,
            content=row.content,
            stock=row.stock,
            published_at=now,
            published_by=actor,
        )
    )
    session.orm.flush()
    arranging.reward_changed(session, row.program_id, row.code, now=now)


def _audited(
    session: Session, program_id: UUID, code: str, action: str, *, before: Reward | None, actor: str, now: datetime
) -> Reward:
    after = catalogue.reward(session, program_id, code, now=now)
    audit.record(
        session, program_id, actor=actor, action=action, resource=f"rewards/{code}",
        before=before and document_of(before), after=document_of(after), now=now,
    )  # fmt: skip
    return after


def _draft_row(session: Session, program_id: UUID, code: str) -> RewardDraftRow:
    found = session.orm.get(RewardDraftRow, (program_id, code))
    return found or RewardDraftRow(program_id=program_id, code=code, version=0)


def _draft_document(row: RewardDraftRow) -> dict[str, Any] | None:
    return None if row.content is None else {"version": row.version, "stock": row.stock, **row.content}
