"""Keeping the templates of a program: publishing, withdrawing, checking, and seeing what comes of them."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from loyalty.audit import service as audit
from loyalty.audit.domain import COMMAND_LINE
from loyalty.core.findings import Finding, error
from loyalty.db.session import Session
from loyalty.programs import queries as programs
from loyalty.templates import queries
from loyalty.templates.checking import check, samples
from loyalty.templates.errors import TemplateInvalid, TemplateNotFound
from loyalty.templates.kinds import Kind
from loyalty.templates.models import TemplateRow
from loyalty.templates.queries import known_kind, known_tag
from loyalty.templates.sandboxing import TemplateBroken
from loyalty.templates.templating import Source, Template, render


def publish(
    session: Session, program_id: UUID, kind: str, language: str, source: Source, *, actor: str = COMMAND_LINE,
    now: datetime,
) -> dict[str, Any]:  # fmt: skip
    """Publish a template, a new one or another version. The caller holds the program's configuration still.

    Refuses: MessageKindNotFound, LanguageUnknown, TemplateInvalid.
    """
    _sound(known_kind(kind), source, known_tag(language))
    return _record(session, program_id, kind, known_tag(language), source, withdrawn=False, actor=actor, now=now)


def withdraw(
    session: Session, program_id: UUID, kind: str, language: str, *, actor: str = COMMAND_LINE, now: datetime
) -> dict[str, Any]:
    """Give up the program's own template; answers what is used from now on.

    Refuses: MessageKindNotFound, LanguageUnknown, TemplateNotFound.
    """
    of, tag = known_kind(kind), known_tag(language)
    found = queries.own_template(session, program_id, of.code, tag)
    if found is None:
        raise TemplateNotFound(of.code, tag)
    return _record(session, program_id, of.code, tag, found.template, withdrawn=True, actor=actor, now=now)


def review(kind: str, language: str, source: Source) -> list[Finding]:
    """What there is to be said of a template. Refuses: MessageKindNotFound, LanguageUnknown."""
    return check(known_kind(kind), source, known_tag(language))


def preview(
    session: Session, program_id: UUID, kind: str, language: str, *, facts: Callable[[str], Mapping[str, Any]],
    changed: Mapping[str, str | None],
) -> dict[str, Any]:  # fmt: skip
    """What comes of a template, or of another that is not published. What `facts` does not know is made up.

    `facts` is asked with the language of the template.
    Refuses: MessageKindNotFound, LanguageUnknown, TemplateInvalid.
    """
    of, tag = known_kind(kind), known_tag(language)
    used = queries.template_for(session, program_id, of.code, tag)
    if changed:
        words = {"subject": used.subject, "text": used.text, "html": used.html, **changed}
        used = Template(str(words["subject"]), str(words["text"]), words["html"], language=tag)
    _sound(of, used, used.language)
    try:
        message = render(of, used, {**_facts(session, program_id, of), **facts(used.language)})
    except TemplateBroken as broken:  # with a member's own values it becomes too long
        raise TemplateInvalid([asdict(error("rendering", str(broken), "text"))]) from None
    return {**asdict(message), "language": used.language}


def _sound(kind: Kind, source: Source, language: str) -> None:
    errors = [asdict(found) for found in check(kind, source, language) if found.level == "error"]
    if errors:
        raise TemplateInvalid(errors)


def _facts(session: Session, program_id: UUID, kind: Kind) -> dict[str, Any]:
    """Something to say: the program as it is, the rest made up. Only what was not asked for has a way out."""
    made_up = samples(kind)
    program = {"name": programs.current(session, program_id).name, "storefront_url": None}
    way_out = made_up["unsubscribe_url"] if kind.category == "marketing" else None
    return {**made_up, "program": program, "unsubscribe_url": way_out}


def _record(
    session: Session, program_id: UUID, kind: str, tag: str, source: Source, *, withdrawn: bool, actor: str,
    now: datetime,
) -> dict[str, Any]:  # fmt: skip
    history = queries.stored(session, program_id, kind, tag)
    own = history[0] if history and not history[0].withdrawn else None
    session.orm.add(
        TemplateRow(
            program_id=program_id,
            kind=kind,
            language=tag,
            version=history[0].version + 1 if history else 1,
            subject=source.subject,
            text=source.text,
            html=source.html,
            withdrawn=withdrawn,
            published_at=now,
            published_by=actor,
        )
    )
    session.orm.flush()
    after = queries.shown(kind, queries.template_for(session, program_id, kind, tag))
    audit.record(
        session, program_id, actor=actor, action=_action(own is not None, withdrawn=withdrawn),
        resource=f"notification-templates/{kind}/{tag}", before=own and queries.shown(kind, own.template),
        after=None if withdrawn else after, now=now,
    )  # fmt: skip
    return after


def _action(existed: bool, *, withdrawn: bool) -> str:
    return f"notification-template.{'withdrawn' if withdrawn else 'changed' if existed else 'created'}"
