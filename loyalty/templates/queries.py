"""Which template a message is made of: a program's own, or one of those that the engine brings."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

from psycopg.rows import class_row

from loyalty.core.i18n import SOURCE
from loyalty.db.session import Session, array_of
from loyalty.programs import queries as programs
from loyalty.templates import shipped
from loyalty.templates.errors import LanguageUnknown, MessageKindNotFound, TemplateNotFound
from loyalty.templates.filters import known_locale
from loyalty.templates.kinds import ALL, KINDS, Kind, Many, Node, Value
from loyalty.templates.templating import Template

# A kind of message and a language tag.
Wanted: TypeAlias = tuple[str, str]

_COLUMNS = "kind, language, version, subject, text, html, withdrawn, published_at, published_by"
_LATEST = f"""
SELECT DISTINCT ON (kind, language) {_COLUMNS} FROM notification_templates
WHERE program_id = %(program_id)s AND kind = ANY(%(kinds)s::text[])
ORDER BY kind, language, version DESC
"""
_VERSIONS = f"""
SELECT {_COLUMNS} FROM notification_templates
WHERE program_id = %s AND kind = %s AND language = %s ORDER BY version DESC
"""


@dataclass(frozen=True, slots=True)
class Stored:
    """A template of a program as it was published, or withdrawn, once."""

    kind: str
    language: str
    version: int
    subject: str
    text: str
    html: str | None
    withdrawn: bool
    published_at: datetime
    published_by: str

    @property
    def template(self) -> Template:
        """What messages are made of."""
        return Template(self.subject, self.text, self.html, version=self.version, language=self.language)


def template_for(session: Session, program_id: UUID, kind: str, tag: str) -> Template:
    """The template for a message of a kind to somebody who reads the language of a tag."""
    return templates_for(session, program_id, {(kind, tag)})[kind, tag]


def templates_for(session: Session, program_id: UUID, wanted: Collection[Wanted]) -> dict[Wanted, Template]:
    """The templates for several kinds and languages, read in one statement.

    Of each, the first there is of these: the program's own for the tag, its own for the language, the engine's for the
    language, the program's own in its own language, English.
    """
    own = _own(session, program_id, {kind for kind, _ in wanted})
    home = programs.current(session, program_id).locale
    return {(kind, tag): _chosen(own, kind, tag, home) for kind, tag in wanted}


def overview(session: Session, program_id: UUID) -> list[dict[str, Any]]:
    """Every kind of message, with what its templates can say and the languages they are in."""
    own = _own(session, program_id, KINDS)
    return [
        {
            "kind": kind.code,
            "category": kind.category,
            "when": kind.when,
            "variables": list(_named(kind.tree, "")),
            "languages": _languages(own, kind.code),
        }
        for kind in ALL
    ]


def template(session: Session, program_id: UUID, kind: str, language: str) -> dict[str, Any]:
    """A program's own template, else the one that the engine brings: version 0.

    Refuses: MessageKindNotFound, LanguageUnknown, TemplateNotFound.
    """
    of, tag = known_kind(kind), known_tag(language)
    found = own_template(session, program_id, of.code, tag)
    given = found.template if found is not None else shipped_template(of.code, tag)
    if given is None or given.language != tag:
        raise TemplateNotFound(of.code, tag)
    return shown(of.code, given)


def own_template(session: Session, program_id: UUID, kind: str, tag: str) -> Stored | None:
    """The program's own template for exactly this language, if there is one."""
    return _own(session, program_id, {kind}).get((kind, tag))


def own_templates(session: Session, program_id: UUID) -> dict[Wanted, Template]:
    """All templates of a program's own, by kind and language."""
    return {named: found.template for named, found in _own(session, program_id, set(KINDS)).items()}


def version_of(session: Session, program_id: UUID, kind: str, language: str) -> int:
    """The version of the program's own template; 0 if there is none. Refuses: MessageKindNotFound, LanguageUnknown."""
    found = own_template(session, program_id, known_kind(kind).code, known_tag(language))
    return found.version if found is not None else 0


def versions(session: Session, program_id: UUID, kind: str, language: str) -> list[Stored]:
    """A program's template as it was published, or withdrawn, each time, newest first.

    Refuses: MessageKindNotFound, LanguageUnknown, TemplateNotFound.
    """
    of, tag = known_kind(kind), known_tag(language)
    found = stored(session, program_id, of.code, tag)
    if not found and tag not in shipped.languages():
        raise TemplateNotFound(of.code, tag)
    return found


def stored(session: Session, program_id: UUID, kind: str, tag: str) -> list[Stored]:
    """Every version of a program's own template, newest first."""
    return session.rows(_VERSIONS, (program_id, kind, tag), into=class_row(Stored))


def shown(kind: str, found: Template) -> dict[str, Any]:
    """A template as it is shown, and told to the audit log."""
    source = "own" if found.version else "shipped"
    words = {"subject": found.subject, "text": found.text, "html": found.html}
    return {"kind": kind, "language": found.language, "source": source, "version": found.version, **words}


def known_kind(code: str) -> Kind:
    """A kind of message. Refuses: MessageKindNotFound."""
    found = KINDS.get(code)
    if found is None:
        raise MessageKindNotFound(code, list(KINDS))
    return found


def known_tag(tag: str) -> str:
    """A language tag as it is usually written: `pt_br` is `pt-BR`. Refuses: LanguageUnknown."""
    locale = known_locale(tag)
    if locale is None:
        raise LanguageUnknown(tag)
    return str(locale).replace("_", "-")


def _own(session: Session, program_id: UUID, kinds: Collection[str]) -> dict[Wanted, Stored]:
    rows = session.rows(_LATEST, {"program_id": program_id, "kinds": array_of(kinds)}, into=class_row(Stored))
    return {(row.kind, row.language): row for row in rows if not row.withdrawn}


def _chosen(own: Mapping[Wanted, Stored], kind: str, tag: str, home: str) -> Template:
    found = _first_own(own, kind, tag) or shipped_template(kind, tag) or _first_own(own, kind, home)
    english = _first_own(own, kind, SOURCE) or shipped_template(kind, SOURCE)
    chosen = found or english
    assert chosen is not None, "there is a text of everything in English"
    return chosen


def _first_own(own: Mapping[Wanted, Stored], kind: str, tag: str) -> Template | None:
    """The program's own template for a tag, else for its language."""
    locale = known_locale(tag)
    if locale is None:
        return None
    tags = (str(locale).replace("_", "-"), locale.language)
    return next((own[kind, each].template for each in tags if (kind, each) in own), None)


def shipped_template(kind: str, tag: str) -> Template | None:
    """The template that the engine brings for a language."""
    found = shipped.text(kind, tag)
    language = tag.replace("_", "-").partition("-")[0].lower()
    return None if found is None else Template(found["subject"], found["text"], language=language)


def _languages(own: Mapping[Wanted, Stored], kind: str) -> list[dict[str, Any]]:
    theirs = {tag: found.version for (of, tag), found in own.items() if of == kind}
    return [
        {"language": tag, "source": "own" if tag in theirs else "shipped", "version": theirs.get(tag, 0)}
        for tag in sorted({*theirs, *shipped.languages()})
    ]


def _named(node: Node, name: str) -> Iterator[dict[str, Any]]:
    """Each value with its way: `member.first_name`, `items[].subject`."""
    if isinstance(node, Value):
        yield {"name": name, "type": node.type, "nullable": node.nullable}
    elif isinstance(node, Many):
        yield from _named(node.of, f"{name}[]")
    else:
        for part, below in node.items():
            yield from _named(below, f"{name}.{part}" if name else part)
