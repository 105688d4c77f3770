"""Putting messages into words: the template of the program, in the language of who reads it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from uuid import UUID

import structlog

from loyalty.core.i18n import SOURCE
from loyalty.db.session import Session
from loyalty.members.domain import Member
from loyalty.notifications import arranging, presenting, unsubscribing
from loyalty.notifications.domain import Message, Preferences, Recipient, Send, Settings
from loyalty.notifications.preferring import recipient_of
from loyalty.notifications.presenting import Background, Values
from loyalty.notifications.recording import DIGEST, Words
from loyalty.programs import queries as programs
from loyalty.programs.domain import Program
from loyalty.templates.kinds import KINDS, FactMissing, Kind
from loyalty.templates.queries import shipped_template, templates_for
from loyalty.templates.sandboxing import TemplateBroken
from loyalty.templates.templating import Rendered, Template, as_item, render

log = structlog.get_logger()

T = TypeVar("T")

# What keeps a message from being put into words: the template, or what it is about.
UNSAYABLE = (TemplateBroken, FactMissing)


@dataclass(frozen=True, slots=True, kw_only=True)
class Worded:
    """A message in words, by what it was put into them, and by which link its member gets no more of its kind."""

    rendered: Rendered
    words: Words
    unsubscribe_url: str | None


@dataclass(frozen=True, slots=True)
class Renderer:
    """Puts messages of one program into words."""

    session: Session
    before: Background
    templates: Mapping[tuple[str, str], Template]
    public_url: str = ""

    def worded(self, send: Send, who: Recipient) -> Worded:
        """What is sent, in words: one message, or a digest of several. Raises UNSAYABLE."""
        first = send.messages[0]
        kind = DIGEST if send.is_digest else first.kind
        link = self._way_out(first, KINDS[first.kind].category if send.is_digest else kind)
        tag = tag_of(who, self.before.program)
        if send.is_digest:
            about: Values = {"items": [self._item(message, who, tag) for message in send.messages]}
            rendered, template = self._filled(DIGEST, about, who, tag, link)
        else:
            rendered, template = self._rendered(first, who, tag, link)
        return Worded(rendered=rendered, words=Words(template.language, template.version), unsubscribe_url=link)

    def alone(self, message: Message, who: Recipient) -> tuple[Rendered, Template]:
        """One message in words, without a link: whoever reads it has come to it. Raises UNSAYABLE."""
        return self._rendered(message, who, tag_of(who, self.before.program), None)

    def _way_out(self, message: Message, about: str) -> str | None:
        if not self.public_url:
            return None
        program_id = self.before.program.program_id
        what = unsubscribing.Subscription(program_id, message.member_id, message.channel, about)
        return unsubscribing.link(self.public_url, unsubscribing.token_of(what))

    def _item(self, message: Message, who: Recipient, tag: str) -> Values:
        """A message as one of a digest, without greeting and signature."""
        template = self.templates[message.kind, tag]
        about = presenting.values(self.session, message, who, self.before, template.language)
        return _said(as_item, message.kind, template, self._facts(template, about, who, None))[0]

    def _rendered(self, message: Message, who: Recipient, tag: str, link: str | None) -> tuple[Rendered, Template]:
        template = self.templates[message.kind, tag]
        about = presenting.values(self.session, message, who, self.before, template.language)
        return self._filled(message.kind, about, who, tag, link)

    def _filled(
        self, kind: str, about: Values, who: Recipient, tag: str, link: str | None
    ) -> tuple[Rendered, Template]:
        template = self.templates[kind, tag]
        return _said(render, kind, template, self._facts(template, about, who, link))

    def _facts(self, template: Template, about: Values, who: Recipient, link: str | None) -> Values:
        said = f"{template.subject}{template.text}{template.html or ''}"
        known = presenting.everywhere(
            self.session, who, self.before, template.language, unsubscribe_url=link, with_balance="balance" in said
        )
        return {**known, **about}


def _said(
    say: Callable[[Kind, Template, Values], T], kind: str, template: Template, facts: Values
) -> tuple[T, Template]:
    """What a template says, and which it was: where the program's own does not fit, the usual one."""
    try:
        return say(KINDS[kind], template, facts), template
    except UNSAYABLE as broken:
        if template.version == 0:
            raise
        log.warning("template broken", kind=kind, language=template.language, why=str(broken))
        usual = shipped_template(kind, template.language) or shipped_template(kind, SOURCE)
        assert usual is not None, "there is a text of everything in English"
        return say(KINDS[kind], usual, facts), usual


def renderer(
    session: Session, program: Program, settings: Settings, messages: Sequence[Message],
    members: Mapping[UUID, Recipient], *, public_url: str, now: datetime,
) -> Renderer:  # fmt: skip
    """Read what some messages need to be put into words; the number of statements does not grow with theirs."""
    tags = {tag_of(members[message.member_id], program) for message in messages}
    wanted = {(kind, tag) for tag in tags for kind in {DIGEST, *(message.kind for message in messages)}}
    return Renderer(
        session,
        presenting.background(session, program, settings, messages, members, now=now),
        templates_for(session, program.program_id, wanted),
        public_url,
    )


def words_of(
    session: Session, program_id: UUID, member: Member, messages: Sequence[Message], *, now: datetime
) -> list[tuple[str, str, str]]:
    """The subject, the text and the language of each message, in its order, as its member reads it now.

    One that cannot be put into words any more says what kind it is of.
    """
    if not messages:
        return []
    program = programs.current(session, program_id)
    who = recipient_of(member, Preferences(), program.time_zone)
    members = {message.member_id: who for message in messages}
    settings = arranging.settings_of(session, program_id)
    made = renderer(session, program, settings, messages, members, public_url="", now=now)
    told = []
    for message in messages:
        try:
            rendered, template = made.alone(message, who)
            told.append((rendered.subject, rendered.text, template.language))
        except UNSAYABLE as broken:
            log.warning("template broken", kind=message.kind, why=str(broken))
            told.append((message.kind, "", SOURCE))
    return told


def tag_of(who: Recipient, program: Program) -> str:
    """The language that a member is spoken to in."""
    return who.locale or program.locale
