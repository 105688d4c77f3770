"""Reading what reports are made of."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from loyalty.db.session import Session
from loyalty.features import counted
from loyalty.features.outlook import Outlook
from loyalty.kpis.domain import Question, Report, Sources
from loyalty.ledger import queries as ledger
from loyalty.offers import queries as offers
from loyalty.outcomes import queries as outcomes
from loyalty.outcomes.domain import Outcomes
from loyalty.rollups import reading
from loyalty.tiers import queries as ladders


def _tiers(session: Session, asked: Question) -> list[str]:
    """The tiers of the ladder in force, the lowest first; none if there is no ladder."""
    found = ladders.in_force(session, asked.program.program_id, now=asked.now)
    return [tier["code"] for tier in found["tiers"]] if found else []


def _offers(session: Session, asked: Question) -> dict[str, dict[str, Any]]:
    """Title and group of every offer that was ever published, by code: as it was published last."""
    sets = offers.offer_sets(session, asked.program).sets
    return {
        offer.code: {"title": offer.title, "group": offer.group} for published in sets for offer in published.offers
    }


def _outlook(session: Session, asked: Question) -> Outlook | None:
    """What the nightly count expects of members; None before the first."""
    return counted.cuts_and_outlook(session, asked.program.program_id)[1]


def _ledger(session: Session, asked: Question) -> dict[str, int] | None:
    """What accounts hold and owe in the unit that is looked at, if that is to be proved."""
    if asked.options["reconcile"] == "no":
        return None
    return ledger.held_in_all(session, asked.program.program_id, str(asked.options["unit"]))


def _outcomes(session: Session, asked: Question) -> Outcomes:
    """What came of the program's experiments, or of one offer's."""
    return outcomes.of_offers(
        session, asked.program.program_id, first=asked.first, last=asked.last, offer=asked.filters.get("offer")
    )


def _answers(session: Session, asked: Question) -> Outcomes:
    """What members bought after they answered."""
    return outcomes.of_answers(session, asked.program.program_id, first=asked.first, last=asked.last)


# What reports may need beside rollups.
MORE: Mapping[str, Callable[[Session, Question], Any]] = {
    "tiers": _tiers, "offers": _offers, "outlook": _outlook, "ledger": _ledger, "outcomes": _outcomes,
    "answers": _answers,
}  # fmt: skip


def sources(session: Session, asked: Question, report: Report, *, now: datetime) -> Sources:
    """What a report is made of: what was counted, and what it needs beside."""
    rollups = reading.rollups(session, asked.program.program_id, now=now)
    return Sources(rollups, {name: MORE[name](session, asked) for name in report.needs})
