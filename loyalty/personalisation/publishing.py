"""Editing and publishing offers."""

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from loyalty.audit import service as audit
from loyalty.audit.domain import COMMAND_LINE
from loyalty.core import clock
from loyalty.core.errors import EffectiveFromPast, NothingToPublish
from loyalty.db.session import Session
from loyalty.earning import budgets
from loyalty.events import service as facts
from loyalty.offers.domain import rule_code
from loyalty.offers.models import OfferDraftRow, OfferSetRow
from loyalty.personalisation import events, sets
from loyalty.personalisation.checking import check
from loyalty.personalisation.drafts import Draft
from loyalty.personalisation.errors import OffersInvalid
from loyalty.programs import queries as programs

# Requests that are under way while offers are published have not seen them, and were made before they came into force:
# a commit takes a thousandth of this.
LEAD = timedelta(milliseconds=250)


def save_draft(
    session: Session, program_id: UUID, new: dict[str, Any], *, actor: str = COMMAND_LINE, now: datetime
) -> Draft:
    """Replace the draft. The caller has locked the program's configuration and checked the version."""
    row = session.orm.get(OfferDraftRow, program_id) or OfferDraftRow(program_id=program_id, version=0)
    before = None
    if row.offers is not None:
        before = {"version": row.version, "offers": row.offers, "personalising": row.personalising}
    after = {"version": row.version + 1, **new}
    row.offers, row.personalising = new["offers"], new["personalising"]
    row.updated_at, row.version = now, row.version + 1
    session.orm.add(row)
    session.orm.flush()
    audit.record(
        session, program_id, actor=actor, action="offers.drafted", resource="offers/draft",
        before=_differing(before, after), after=_differing(after, before), now=now,
    )  # fmt: skip
    return Draft(row.version, new["offers"], new["personalising"])


def publish(
    session: Session, program_id: UUID, *, effective_from: datetime | None, published_by: str, now: datetime
) -> dict[str, Any]:
    """Publish the draft, in force from `effective_from` on; if absent from now on, which is in a quarter of a second.

    The first set of a program is in force from the beginning of time.
    What members were given of earlier sets stays theirs as it was promised.
    Refuses: NothingToPublish, OffersInvalid, EffectiveFromPast.
    """
    working = clock.stopwatch()
    draft = session.orm.get(OfferDraftRow, program_id)
    if draft is None or draft.offers is None:
        raise NothingToPublish("There is no draft; PUT one first.")
    # Only errors count here, and none of them depends on what was sold: that is not looked up under the lock.
    found = check(draft.offers, draft.personalising, programs.load(session, program_id), now=now)
    if errors := [asdict(finding) for finding in found if finding.level == "error"]:
        raise OffersInvalid("The offers cannot be published as they are: POST …/check says more.", errors=errors)
    if effective_from is not None and effective_from < now:
        raise EffectiveFromPast("effective_from lies in the past.", effective_from=effective_from)
    newest = sets.newest(session, program_id, now=now)
    # To check hundreds of offers takes time, and the lead begins now.
    soon = now + working() + LEAD
    row = OfferSetRow(
        program_id=program_id,
        version=newest["version"] + 1 if newest else 1,
        offers=draft.offers,
        personalising=draft.personalising,
        effective_from=None if newest is None and effective_from is None else max(effective_from or soon, soon),
        published_at=now,
        published_by=published_by,
    )
    # The code of an offer keeps its budget from one version to the next: what was spent stays spent.
    budgets.open_budgets(session, program_id, _with_budgets(draft.offers))
    draft.offers, draft.personalising, draft.version, draft.updated_at = None, {}, draft.version + 1, now
    session.orm.add(row)
    session.orm.flush()
    published = sets.stored_set(session, program_id, version=row.version, now=now)
    audit.record(
        session, program_id, actor=published_by, action="offers.published", resource="offers",
        before=_differing(newest, published), after=_differing(published, newest), now=now,
    )  # fmt: skip
    facts.tell_now(
        session, program_id, events.offers_published(row.version, row.effective_from, occurred_at=now), now=now
    )
    return published


def _with_budgets(offers: list[dict[str, Any]]) -> list[str]:
    return [rule_code(offer["code"]) for offer in offers if offer.get("budget_points") or offer.get("budget_amount")]


def _differing(told: dict[str, Any] | None, other: dict[str, Any] | None) -> dict[str, Any] | None:
    """A set without the offers that are the same in another: of a thousand, most stay as they are."""
    if told is None or other is None:
        return told
    there = {offer["code"]: offer for offer in other["offers"]}
    return {**told, "offers": [offer for offer in told["offers"] if there.get(offer["code"]) != offer]}
