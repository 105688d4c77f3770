"""Reading a program's configuration, and comparing it with a document."""

from datetime import datetime
from typing import Any
from uuid import UUID

from loyalty.configuration import documents
from loyalty.configuration.domain import Comparison, differences
from loyalty.configuration.schemas import FORMAT
from loyalty.db.session import Session
from loyalty.earning import queries as earning
from loyalty.notifications import arranging
from loyalty.personalisation import sets
from loyalty.programs import queries as programs
from loyalty.programs.domain import with_changes
from loyalty.rewards import catalogue as rewards
from loyalty.rewards.domain import Reward
from loyalty.templates import queries as templates
from loyalty.templates.templating import Source
from loyalty.tiers import queries as tiers


def configuration(session: Session, program_id: UUID, *, now: datetime) -> dict[str, Any]:
    """The whole configuration of a program as one document. Keys and secrets are no part of it."""
    return {
        "format": FORMAT,
        "program": documents.program_document(programs.load(session, program_id)),
        "earning_rules": _rules(session, program_id, now=now),
        **_ladder(session, program_id, now=now),
        **_offers(session, program_id, now=now),
        "rewards": [_reward(reward) for reward in _catalogue(session, program_id, now=now)],
        **_notifications(session, program_id),
    }


def comparison(session: Session, program_id: UUID, wanted: dict[str, Any], *, now: datetime) -> Comparison:
    """What importing a document would change."""
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    kept: tuple[str, ...] = ()
    if "program" in wanted:
        program = programs.load(session, program_id)
        before["program"] = documents.program_document(program)
        after["program"] = documents.program_document(with_changes(program, wanted["program"]))
    if "earning_rules" in wanted:
        before["earning_rules"] = _rules(session, program_id, now=now)
        after["earning_rules"] = documents.rules_document(wanted["earning_rules"])
    # Tiers cannot be taken away, so a document that has none says nothing of them.
    if wanted.get("ladder") is not None:
        before |= _ladder(session, program_id, now=now)
        after["ladder"] = documents.ladder_document(wanted["ladder"])
    if wanted.get("offers") is not None:
        before |= _offers(session, program_id, now=now)
        after["offers"] = documents.offers_document(wanted["offers"])
    if "rewards" in wanted:
        there = {reward.code: _reward(reward) for reward in _catalogue(session, program_id, now=now)}
        named = [documents.reward_document(code, new) for code, new in wanted["rewards"]]
        codes = {document["code"] for document in named}
        before["rewards"] = [document for code, document in there.items() if code in codes]
        after["rewards"] = named
        kept = tuple(code for code in there if code not in codes)
    _compare_notifications(session, program_id, wanted, before, after)
    return Comparison(tuple(differences(before, after)), kept)


def _compare_notifications(
    session: Session, program_id: UUID, wanted: dict[str, Any], before: dict[str, Any], after: dict[str, Any]
) -> None:
    there = _notifications(session, program_id)
    if "notification_settings" in wanted:
        before["notification_settings"] = there["notification_settings"]
        after["notification_settings"] = documents.settings_of_notifications(wanted["notification_settings"])
    if "notification_templates" in wanted:
        named = documents.templates_document(named_templates(wanted["notification_templates"]))
        kinds = {kind: set(languages) for kind, languages in named.items()}
        before["notification_templates"] = {
            kind: {tag: words for tag, words in there["notification_templates"].get(kind, {}).items() if tag in tags}
            for kind, tags in kinds.items()
        }
        after["notification_templates"] = named


def named_templates(wanted: dict[str, dict[str, Source]]) -> dict[tuple[str, str], Source]:
    """The templates of a document, by kind and by language tag as it is usually written. Refuses: LanguageUnknown."""
    return {
        (kind, templates.known_tag(language)): template
        for kind, languages in wanted.items()
        for language, template in languages.items()
    }


def _notifications(session: Session, program_id: UUID) -> dict[str, Any]:
    own = templates.own_templates(session, program_id)
    return {
        "notification_settings": documents.settings_of_notifications(arranging.settings_of(session, program_id)),
        "notification_templates": documents.templates_document(own),
    }


def _rules(session: Session, program_id: UUID, *, now: datetime) -> dict[str, Any]:
    return documents.rules_document(earning.stored_set(session, program_id, version=None, now=now))


def _ladder(session: Session, program_id: UUID, *, now: datetime) -> dict[str, Any]:
    """The ladder in force, under its name in the document; nothing where there is none."""
    in_force = tiers.in_force(session, program_id, now=now)
    return {"ladder": documents.ladder_document(in_force)} if in_force else {}


def _offers(session: Session, program_id: UUID, *, now: datetime) -> dict[str, Any]:
    """The offers in force, under their name in the document; nothing where none were published."""
    in_force = sets.in_force(session, program_id, now=now)
    return {"offers": documents.offers_document(in_force)} if in_force else {}


def _reward(reward: Reward) -> dict[str, Any]:
    return documents.reward_document(reward.code, reward)


def _catalogue(session: Session, program_id: UUID, *, now: datetime) -> list[Reward]:
    """What is published."""
    found = rewards.rewards(session, program_id, now=now)
    return [reward for reward in found if reward.version and not reward.withdrawn]
