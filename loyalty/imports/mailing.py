"""Loading campaigns of the past: an offer for each, an assignment for each coupon that was issued, and their facts.

A campaign is loaded in one transaction. Recipients who have its offer are left alone, so that a load may be repeated.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import scalar_row

from loyalty.audit.domain import COMMAND_LINE
from loyalty.core.errors import OperatorError
from loyalty.core.ids import new_id
from loyalty.db.session import Session, transaction
from loyalty.db.writer import Changes, write
from loyalty.events import service as facts
from loyalty.events.domain import Fact
from loyalty.imports.domain import Campaign, Redeemed
from loyalty.members.domain import LockedMember, NewMember
from loyalty.members.locks import lock_members
from loyalty.members.service import enrol
from loyalty.offers import events
from loyalty.offers.assignments import row_of
from loyalty.offers.domain import Assignment
from loyalty.offers.models import AssignmentRow
from loyalty.personalisation import drafts, publishing, sets
from loyalty.programs.service import touch

# The data does not say what a coupon was worth.
_WORTH = 100
_PROMISED = {"kind": "discount_amount", "value": str(_WORTH)}

# Neither chosen by rank nor for what happened.
_TRIGGER = "campaign"

# How many recipients are written by one statement: of sixteen coupons each.
RECIPIENTS_AT_ONCE = 200

_HAVE_IT = "SELECT DISTINCT member_id FROM assignments WHERE program_id = %s AND offer_code = %s"


def load_campaigns(program_id: UUID, campaigns: Sequence[Campaign], *, now: datetime) -> Iterator[int]:
    """Publish the offers of the campaigns, and give them out; tells of each campaign how many coupons are new.

    Raises OperatorError where somebody is editing the program's offers.
    """
    if not campaigns:
        return
    with transaction() as session:
        version = _published(session, program_id, campaigns, now=now)
    for campaign in campaigns:
        with transaction() as session:
            yield _give_out(session, program_id, campaign, version, now=now)


def _published(session: Session, program_id: UUID, campaigns: Sequence[Campaign], *, now: datetime) -> int:
    """The version of the newest set of offers, which holds those of the campaigns beside what it held before."""
    touch(session, program_id)
    newest = sets.newest(session, program_id, now=now) or {"version": 0, "offers": [], "personalising": {}}
    there = {offer["code"] for offer in newest["offers"]}
    missing = [_offer(campaign) for campaign in campaigns if campaign.code not in there]
    if not missing:
        return int(newest["version"])
    if drafts.draft(session, program_id, now=now).begun:
        raise OperatorError("Somebody is editing the offers: publish their draft first, or leave the campaigns out.")
    new = {"offers": [*newest["offers"], *missing], "personalising": newest["personalising"]}
    publishing.save_draft(session, program_id, new, now=now)
    published = publishing.publish(session, program_id, effective_from=None, published_by=COMMAND_LINE, now=now)
    return int(published["version"])


def _offer(campaign: Campaign) -> dict[str, Any]:
    """The offer of a campaign as offers are stored. Nobody is given it any more once the campaign is over."""
    return {
        "code": campaign.code,
        "title": campaign.title,
        "promise": {"kind": "discount_amount", "value": _WORTH},
        "valid_from": campaign.begins.isoformat(),
        "valid_to": campaign.ends.isoformat(),
        "activation": "opt_in",
        "group": campaign.group,
    }


def _give_out(session: Session, program_id: UUID, campaign: Campaign, version: int, *, now: datetime) -> int:
    # Who was mailed before they bought anything is a member since then.
    newcomers = [NewMember(customer_id=each, enrolled_at=campaign.begins) for each in campaign.recipients]
    write(session, enrol(session, program_id, newcomers, now=now).changes)
    members = lock_members(session, program_id, campaign.recipients)
    have_it = set(session.rows(_HAVE_IT, (program_id, campaign.code), into=scalar_row))
    lacking = [member for member in members.values() if member.member_id not in have_it]
    for first in range(0, len(lacking), RECIPIENTS_AT_ONCE):
        changes = Changes()
        for member in lacking[first : first + RECIPIENTS_AT_ONCE]:
            _add(changes, program_id, campaign, member, version, now=now)
        write(session, changes)
    return campaign.coupons * len(lacking)


def _add(
    changes: Changes, program_id: UUID, campaign: Campaign, member: LockedMember, version: int, *, now: datetime
) -> None:
    """The coupons of one recipient, and what became of them."""
    redeemed = campaign.redeemed.get(member.customer_id, ())
    unused = max(campaign.coupons - len(redeemed), 0)
    uses: list[Redeemed | None] = [*redeemed[: campaign.coupons], *([None] * unused)]
    coupons = [_coupon(campaign, member, version, use) for use in uses]
    changes.insert(AssignmentRow, *(row_of(program_id, coupon) for coupon in coupons))
    told = [_assigned(campaign, member, coupon) for coupon in coupons]
    told += [_ended(campaign, member, coupon, use) for coupon, use in zip(coupons, uses, strict=True)]
    # Who brought back more than was issued used a coupon twice, which the log tells and an assignment cannot.
    told += [_ended(campaign, member, coupons[-1], use) for use in redeemed[campaign.coupons :]]
    facts.tell(changes, program_id, *told, now=now)


def _coupon(campaign: Campaign, member: LockedMember, version: int, use: Redeemed | None) -> Assignment:
    return Assignment(
        member_id=member.member_id,
        assignment_id=new_id(),
        offer_code=campaign.code,
        offer_version=version,
        status="redeemed" if use else "expired",
        promise=_PROMISED,
        earns=False,
        assigned_at=campaign.begins,
        valid_to=campaign.ends,
        closed_at=use.at if use else campaign.ends,
        order_id=use.order_id if use else None,
        trigger=_TRIGGER,
    )


def _assigned(campaign: Campaign, member: LockedMember, coupon: Assignment) -> Fact:
    return events.assigned(
        **_what(campaign, member, coupon), promise=_PROMISED, trigger=_TRIGGER, rank=None, occurred_at=campaign.begins
    )


def _ended(campaign: Campaign, member: LockedMember, coupon: Assignment, use: Redeemed | None) -> Fact:
    what = _what(campaign, member, coupon)
    if use is None:
        return events.assignment_became("expired", **what, occurred_at=campaign.ends)
    return events.redeemed(**what, order_id=use.order_id, points=None, amount=None, occurred_at=use.at)


def _what(campaign: Campaign, member: LockedMember, coupon: Assignment) -> dict[str, Any]:
    return {
        "who": (member.member_id, member.customer_id),
        "assignment_id": coupon.assignment_id,
        "offer": campaign.code,
        "title": campaign.title,
        "valid_to": campaign.ends,
    }
