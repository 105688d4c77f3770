"""What is wrong with a template before a message is made of it, and what is probably not meant. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from jinja2 import nodes

from loyalty.core.findings import Finding, error, warning
from loyalty.templates import sandboxing
from loyalty.templates.kinds import SAMPLE_EVERYWHERE, Kind, numbered, without
from loyalty.templates.reading import remarks
from loyalty.templates.sandboxing import Fault, TemplateBroken
from loyalty.templates.templating import Source, Template, is_whole, render

# Numbers that have forms of their own in one language or another.
NUMBERS: Final = (0, 1, 2, 5, 22)


def check(kind: Kind, source: Source, language: str) -> list[Finding]:
    """What there is to be said of a template, errors first."""
    found = [finding for part, text in _parts(source) for finding in _written(kind, part, text, language)]
    if not any(each.level == "error" for each in found):
        found += _rendered(kind, Template(source.subject, source.text, source.html, language=language))
        found += _way_out(kind, source)
    return sorted(dict.fromkeys(found), key=lambda each: each.level)


def samples(kind: Kind) -> dict[str, Any]:
    """Something to say for each variable of a kind."""
    return {**SAMPLE_EVERYWHERE, **kind.sample}


def _parts(source: Source) -> Iterator[tuple[str, str]]:
    yield "subject", source.subject
    yield "text", source.text
    if source.html is not None:
        yield "html", source.html


def _written(kind: Kind, part: str, text: str, language: str) -> Iterator[Finding]:
    """What is to be said of a template without rendering it."""
    if part == "subject" and len(text) > sandboxing.SUBJECT_MAX:
        yield error("too-long", f"A subject has at most {sandboxing.SUBJECT_MAX} characters.", part)
        return
    tree = sandboxing.parsed(text)
    faults = [tree] if isinstance(tree, Fault) else list(sandboxing.faults(tree))
    for fault in faults:
        yield error(fault.code, f"Line {fault.line}: {fault.detail}", part)
    if isinstance(tree, nodes.Template) and not faults:
        for remark in remarks(tree, kind.tree, language):
            say = error if remark.level == "error" else warning
            yield say(remark.code, f"Line {remark.line}: {remark.detail}", part)


def _rendered(kind: Kind, template: Template) -> Iterator[Finding]:
    """What comes of a template: with all that may be known, with nothing of it, and with several numbers."""
    whole = samples(kind)
    cases: list[tuple[str, Mapping[str, Any]]] = [
        ("the samples", whole),
        ("what is unknown", without(kind.tree, whole)),
    ]
    cases += [(f"the number {number}", numbered(kind.tree, whole, number)) for number in NUMBERS]
    for said, facts in cases:
        try:
            message = render(kind, template, facts)
        except TemplateBroken as broken:
            yield error("rendering", f"It cannot be rendered with {said}: {broken}", _part_of(kind, template, facts))
            return
        for part, text in (("subject", message.subject), ("text", message.text)):
            if not text:
                yield error("empty", f"With {said}, it says nothing.", part)
                return


def _part_of(kind: Kind, template: Template, facts: Mapping[str, Any]) -> str:
    """The part that cannot be rendered."""
    for part, shorter in (("subject", Template(template.subject, "", "")), ("text", Template("", template.text, ""))):
        try:
            render(kind, shorter, facts)
        except TemplateBroken:
            return part
    return "html"


def _way_out(kind: Kind, source: Source) -> Iterator[Finding]:
    if kind.category == "marketing" and source.html and is_whole(source.html) and "unsubscribe_url" not in source.html:
        detail = "A page of its own needs a link to {{ unsubscribe_url }}: what is not asked for must have a way out."
        yield warning("no-way-out", detail, "html")
