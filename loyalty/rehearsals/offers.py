"""What a draft of offers would bring if it was published now: asking for it, and doing it.

Members are read by their ids, some at a time, each time in a transaction of its own that only reads: nothing is locked,
nothing is written, and never more than those few are held.
"""

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from loyalty.core.errors import NothingToPublish
from loyalty.db.session import Session, transaction
from loyalty.earning import queries as earning
from loyalty.features import counted
from loyalty.offers.domain import OfferSet
from loyalty.offers.storing import set_from
from loyalty.personalisation import drafts
from loyalty.personalisation.checking import check
from loyalty.personalisation.errors import OffersInvalid
from loyalty.programs import queries as programs
from loyalty.programs.domain import Program
from loyalty.rehearsals import offer_members as members
from loyalty.rehearsals import service
from loyalty.rehearsals.domain import Interrupted, NewOfferRehearsal, Outcome, Rehearsal, Span, Told
from loyalty.rehearsals.offer_costs import skus_of
from loyalty.rehearsals.offer_members import Buyers
from loyalty.rehearsals.offer_rehearsing import OfferRehearsing
from loyalty.rehearsals.offer_results import result_of
from loyalty.rehearsals.orders import patiently
from loyalty.rehearsals.performing import seldom_looking_for_garbage


def request_offer_rehearsal(
    session: Session, program_id: UUID, new: NewOfferRehearsal, *, requested_by: str, now: datetime
) -> Rehearsal:
    """Put a rehearsal of offers into the queue. Refuses: NothingToPublish, OffersInvalid."""
    draft = draft_of(session, program_id, new, now=now)
    span = Span(now - timedelta(days=new.days), now)
    return service.ask(session, program_id, "offers", draft, span=span, requested_by=requested_by, now=now)


def draft_of(session: Session, program_id: UUID, new: NewOfferRehearsal, *, now: datetime) -> dict[str, Any]:
    """The offers to be rehearsed: those given, or else the stored draft. Refuses: NothingToPublish, OffersInvalid."""
    offers, personalising = new.offers, new.personalising
    if offers is None:
        stored = drafts.draft(session, program_id, now=now)
        if not stored.begun:
            raise NothingToPublish("There is no draft: PUT one first, or send offers to rehearse.")
        offers, personalising = stored.offers, stored.personalising
    found = check(offers, personalising, programs.load(session, program_id), now=now)
    if errors := [asdict(finding) for finding in found if finding.level == "error"]:
        raise OffersInvalid("The offers cannot be rehearsed as they are: POST …/check says more.", errors=errors)
    return {"offers": offers, "personalising": personalising}


def drafted(draft: dict[str, Any]) -> OfferSet:
    """The offers of a draft, as version 0 of themselves."""
    return set_from(draft["offers"], draft["personalising"], version=0)


def perform(
    program: Program, draft: OfferSet, since: datetime, *, told: Told = lambda _done, _total: True, now: datetime
) -> Outcome:
    """Give offers that are not in force to everybody who bought since an instant. Raises Interrupted."""
    with seldom_looking_for_garbage():
        return _perform(program, draft, Buyers(program, since), told, now)


def _perform(program: Program, draft: OfferSet, buyers: Buyers, told: Told, now: datetime) -> Outcome:
    with transaction() as session:
        patiently(session)
        total = members.count(session, buyers)
        rules = earning.rules_at(session, program, now)
        statistics = counted.statistics(session, program.program_id)
        spent = members.spent(session, program, draft)
    rehearsing, skus = OfferRehearsing(program, draft, rules, statistics, spent, now=now), skus_of(draft.offers)
    done, after = 0, members.NOBODY
    while True:
        if not told(done, total):
            raise Interrupted
        with transaction() as session:
            patiently(session)
            page = members.page_of(session, buyers, rehearsing, skus, after=after)
        for guest in page:
            rehearsing.look_at(guest)
        done += len(page)
        if len(page) < members.PAGE:
            return Outcome(done, result_of(rehearsing.findings))
        after = page[-1].member_id
