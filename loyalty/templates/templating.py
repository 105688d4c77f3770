"""Messages out of templates: a subject, a text, and the same as HTML, in the language of who reads them. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, StrictUndefined
from jinja2 import Template as Compiled
from markupsafe import Markup, escape

from loyalty.core.i18n import SOURCE
from loyalty.templates import sandboxing, shipped
from loyalty.templates.filters import Speech, language_of
from loyalty.templates.kinds import Kind, plain
from loyalty.templates.sandboxing import TemplateBroken

LAYOUT: Final = Path(__file__).with_name("layout.html")

# Programs that read mail cut what is longer, and servers may refuse it.
SUBJECT_MAX: Final = 500
NAME_MAX: Final = 60
# What nobody is called: whoever enrols under an address of the web would have it sent to others under the shop's name.
_NO_NAME: Final = re.compile(r"[/\\@<>{}\[\]\n\r]|:|\w\.\w{2,}")
_LINK: Final = re.compile(r"https?://[^\s<>\"]+[^\s<>\".,;:!?)']")
_EMPTY_LINES: Final = re.compile(r"\n(?:[ \t]*\n)+")
# Control characters, halves of characters, and what turns the direction of text around or hides in it.
_UNSEEN: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]"
)


@dataclass(frozen=True, slots=True)
class Source:
    """What a template is written as. Without HTML, that is made of the text."""

    subject: str
    text: str
    html: str | None = None


@dataclass(frozen=True, slots=True)
class Template(Source):
    """A template that messages are made of: version 0 is what the engine brings, later ones are the program's own."""

    version: int = 0
    language: str = SOURCE


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message in words."""

    subject: str
    text: str
    html: str


def render(kind: Kind, template: Template, facts: Mapping[str, Any]) -> Rendered:
    """A message of a kind. `facts` are all that the kind's templates may say, as kinds.py lists it.

    Raises FactMissing and TemplateBroken.
    """
    return in_words(template, _values(kind, facts))


def as_item(kind: Kind, template: Template, facts: Mapping[str, Any]) -> dict[str, str]:
    """A message as part of a digest, which greets, signs and offers a way out by itself.

    Raises FactMissing and TemplateBroken.
    """
    values = {**_values(kind, facts), "unsubscribe_url": None}
    message, speech = in_words(template, values), Speech(language_of(template.language))
    greeting = sandboxing.rendered(shipped.word(template.language, "greeting"), values, speech)
    signature = sandboxing.rendered(shipped.SIGNATURE, values, speech)
    text = message.text.removeprefix(f"{greeting}\n\n").removesuffix(f"\n\n{signature}")
    return {"subject": message.subject, "text": text}


def _values(kind: Kind, facts: Mapping[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = plain(kind.tree, facts)
    member = values["member"]
    for name in ("first_name", "last_name"):
        member[name] = greetable(member[name])
    return values


def in_words(template: Template, values: Mapping[str, Any]) -> Rendered:
    """What a template says of plain values. Raises TemplateBroken."""
    speech = Speech(language_of(template.language))
    subject = one_line(sandboxing.rendered(template.subject, values, speech))
    if len(subject) > SUBJECT_MAX:
        raise TemplateBroken(f"A subject has at most {SUBJECT_MAX} characters.")
    text = _EMPTY_LINES.sub("\n\n", clean(sandboxing.rendered(template.text, values, speech))).strip()
    html = template.html
    body = paragraphs(text) if html is None else Markup(clean(sandboxing.rendered(html, values, speech, html=True)))  # noqa: S704
    whole = html is not None and is_whole(html)
    laid = str(body) if whole else _laid_out(template.language, subject, body, values)
    return Rendered(subject, with_way_out(text, template.language, values), laid)


def is_whole(html: str) -> bool:
    """Whether HTML is a page of its own, which needs no layout."""
    return html.lstrip()[:9].lower().startswith(("<!doctype", "<html"))


def one_line(text: str) -> str:
    """A text on one line, so that nothing in it begins another header of a mail."""
    return " ".join(clean(text).split())


def clean(text: str) -> str:
    """A text without what cannot be stored or seen: control characters, halves of characters, turns of direction."""
    return _UNSEEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def greetable(name: str | None) -> str | None:
    """A name to greet somebody by, if it is one."""
    found = one_line(name or "")
    return found if found and len(found) <= NAME_MAX and not _NO_NAME.search(found) else None


def paragraphs(text: str) -> Markup:
    """A text as HTML: paragraphs between empty lines, lists of lines that begin with a dash, and links."""
    return Markup("\n").join(_paragraph(part.split("\n")) for part in re.split(r"\n\s*\n", text) if part.strip())


def with_way_out(text: str, tag: str, values: Mapping[str, Any]) -> str:
    """A text that says how to get no more of its kind, if there is a way and it does not say so by itself."""
    url = values["unsubscribe_url"]
    if not url or url in text:
        return text
    return f"{text}\n\n{shipped.word(tag, 'unsubscribe')}: {url}"


def _paragraph(lines: list[str]) -> Markup:
    parts, items = [], []
    for line in [*(line.strip() for line in lines), ""]:
        if line.startswith("- "):
            items.append(Markup("<li>{}</li>").format(_linked(line[2:])))
            continue
        if items:
            parts.append(Markup("<ul>{}</ul>").format(Markup("").join(items)))
            items = []
        if line:
            parts.append(_linked(line))
    return _flowing(parts)


def _flowing(parts: list[Markup]) -> Markup:
    """Lines that follow each other in paragraphs, with lists between them."""
    found, lines = [], []
    for part in [*parts, Markup("<ul>")]:
        if not part.startswith("<ul>"):
            lines.append(part)
            continue
        if lines:
            found.append(Markup("<p>{}</p>").format(Markup("<br>").join(lines)))
            lines = []
        found.append(part)
    return Markup("\n").join(found[:-1])


def _linked(line: str) -> Markup:
    made, position = Markup(""), 0
    for link in _LINK.finditer(line):
        made += escape(line[position : link.start()]) + Markup('<a href="{0}">{0}</a>').format(link[0])
        position = link.end()
    return made + escape(line[position:])


def _laid_out(tag: str, subject: str, body: Markup, values: Mapping[str, Any]) -> str:
    locale = language_of(tag).locale
    return _layout().render(
        lang=tag,
        dir="rtl" if locale.text_direction == "rtl" else "ltr",
        subject=subject,
        body=body,
        program=values["program"],
        unsubscribe_url=values["unsubscribe_url"],
        unsubscribe=shipped.word(tag, "unsubscribe"),
    )


@lru_cache
def _layout() -> Compiled:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(LAYOUT.read_text(encoding="utf-8"))
