"""Applying a configuration."""

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from loyalty.audit import service as audit
from loyalty.audit.domain import COMMAND_LINE
from loyalty.configuration import queries
from loyalty.configuration.domain import Comparison
from loyalty.core import clock
from loyalty.core.errors import DomainError
from loyalty.db.session import Session
from loyalty.earning import queries as drafts
from loyalty.earning import service as earning
from loyalty.earning.errors import RulesInvalid
from loyalty.notifications import arranging as notifications
from loyalty.personalisation import drafts as offer_drafts
from loyalty.personalisation import publishing as offers
from loyalty.personalisation.errors import OffersInvalid
from loyalty.programs import service as programs
from loyalty.rewards import editing as rewards
from loyalty.rewards.domain import NewReward
from loyalty.rewards.errors import RewardInvalid
from loyalty.templates import service as templates
from loyalty.templates.errors import TemplateInvalid
from loyalty.templates.templating import Source
from loyalty.tiers import drafts as ladder_drafts
from loyalty.tiers import service as ladders
from loyalty.tiers.errors import LadderInvalid


def import_configuration(
    session: Session, program_id: UUID, wanted: dict[str, Any], *, actor: str = COMMAND_LINE, now: datetime
) -> Comparison:
    """Make a program as a document says: all of it or nothing, and nothing at all where it is so already.

    Goes through the use cases of the endpoints. Rewards come before settings, which may name one of them, and settings
    before rules, which may give units that they add.
    Refuses: LadderInvalid, OffersInvalid, RewardInvalid, RulesInvalid, TemplateInvalid, LanguageUnknown,
    AutoRedeemImpossible.
    """
    working = clock.stopwatch()
    programs.hold_still(session, program_id)
    comparison = queries.comparison(session, program_id, wanted, now=now)
    if not comparison.changes:
        return comparison
    before = queries.configuration(session, program_id, now=now)
    programs.touch(session, program_id)
    for number, (code, new) in enumerate(wanted.get("rewards", ())):
        if comparison.touches(f"/rewards/{number}"):
            _publish_reward(session, program_id, (number, code, new), actor=actor, now=now)
    if comparison.touches("/notification_settings"):
        settings = wanted["notification_settings"]
        notifications.change(session, program_id, settings, actor=actor, now=now)
    for (kind, language), template in queries.named_templates(wanted.get("notification_templates", {})).items():
        if comparison.touches(f"/notification_templates/{kind}/{language}"):
            _publish_template(session, program_id, kind, language, template, actor=actor, now=now)
    if comparison.touches("/program"):
        programs.change_settings(session, program_id, wanted["program"], actor=actor, now=now)
    # Last of all, for these take effect a moment from then.
    in_force_at = now
    for part, publish in (
        ("ladder", _publish_ladder), ("offers", _publish_offers), ("earning_rules", _publish_rules)
    ):  # fmt: skip
        if comparison.touches(f"/{part}"):
            begin = publish(session, program_id, wanted[part], actor=actor, now=now + working())
            in_force_at = max(in_force_at, begin)
    after = queries.configuration(session, program_id, now=in_force_at)
    audit.record(
        session, program_id, actor=actor, action="configuration.imported", resource="config", before=before,
        after=after, now=now,
    )  # fmt: skip
    return replace(comparison, in_force_at=in_force_at)


def _publish_reward(
    session: Session, program_id: UUID, wanted: tuple[int, str, NewReward], *, actor: str, now: datetime
) -> None:
    number, code, new = wanted
    try:
        rewards.put_reward(session, program_id, code, new, keep_stock=True, actor=actor, now=now)
    except RewardInvalid as refused:
        raise RewardInvalid(refused.detail, **_at(f"/rewards/{number}", refused)) from None


def _publish_template(
    session: Session, program_id: UUID, kind: str, language: str, template: Source, *, actor: str, now: datetime
) -> None:
    try:
        templates.publish(session, program_id, kind, language, template, actor=actor, now=now)
    except TemplateInvalid as refused:
        at = f"/notification_templates/{kind}/{language}"
        raise TemplateInvalid(_at(at, refused)["errors"]) from None


def _publish_ladder(
    session: Session, program_id: UUID, wanted: dict[str, Any], *, actor: str, now: datetime
) -> datetime:
    """Publish a ladder by way of the draft; answers when it is in force. A draft that someone has begun is put back."""
    begun = ladder_drafts.draft(session, program_id, now=now)
    ladders.save_draft(session, program_id, wanted, actor=actor, now=now)
    try:
        published = ladders.publish(session, program_id, moving="now", effective_from=None, published_by=actor, now=now)
    except LadderInvalid as refused:
        raise LadderInvalid(refused.detail, **_at("/ladder", refused)) from None
    if begun.begun:
        ladders.save_draft(session, program_id, begun.ladder, actor=actor, now=now)
    return published["effective_from"] or now


def _publish_offers(
    session: Session, program_id: UUID, wanted: dict[str, Any], *, actor: str, now: datetime
) -> datetime:
    """Publish offers by way of the draft; answers when they are in force. A draft that someone began is put back."""
    begun = offer_drafts.draft(session, program_id, now=now)
    offers.save_draft(session, program_id, wanted, actor=actor, now=now)
    try:
        published = offers.publish(session, program_id, effective_from=None, published_by=actor, now=now)
    except OffersInvalid as refused:
        raise OffersInvalid(refused.detail, **_at("/offers", refused)) from None
    if begun.begun:
        theirs = {"offers": begun.offers, "personalising": begun.personalising}
        offers.save_draft(session, program_id, theirs, actor=actor, now=now)
    return published["effective_from"] or now


def _publish_rules(
    session: Session, program_id: UUID, wanted: dict[str, Any], *, actor: str, now: datetime
) -> datetime:
    """Publish rules by way of the draft; answers when they are in force. A draft that someone has begun is put back."""
    begun = drafts.draft(session, program_id, now=now)
    earning.save_draft(session, program_id, wanted, actor=actor, now=now)
    try:
        published = earning.publish(session, program_id, effective_from=None, published_by=actor, now=now)
    except RulesInvalid as refused:
        raise RulesInvalid(refused.detail, **_at("/earning_rules", refused)) from None
    if begun.begun:
        theirs = {name: getattr(begun, name) for name in wanted}
        earning.save_draft(session, program_id, theirs, actor=actor, now=now)
    return published["effective_from"] or now


def _at(path: str, refused: DomainError) -> dict[str, Any]:
    """The facts of a refusal, with pointers into the document instead of the part of it that lies at `path`."""
    errors = [{**error, "pointer": f"{path}{error['pointer']}"} for error in refused.facts["errors"]]
    return {**refused.facts, "errors": errors}
