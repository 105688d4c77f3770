"""What the engine says by itself: of every kind, in every language, with every number, whatever is not known."""

import re
import tomllib
from functools import lru_cache
from typing import Any

import pytest

from loyalty.templates import shipped
from loyalty.templates.checking import check
from loyalty.templates.filters import forms_of
from loyalty.templates.kinds import ALL, SAMPLE_EVERYWHERE, Kind, Many, Node, Value, numbered, without
from loyalty.templates.templating import Rendered, Template, render

LANGUAGES = ("el", "en", "fi", "hu", "lv", "pl")
NUMBERS = (0, 1, 2, 5, 11, 21, 22, 101, 12_345)

# What whole numbers need, as CLDR has it.
FORMS = {
    "en": {"one", "other"}, "fi": {"one", "other"}, "el": {"one", "other"}, "hu": {"one", "other"},
    "pl": {"one", "few", "many", "other"}, "lv": {"zero", "one", "other"},
}  # fmt: skip
ENGLISH = re.compile(r"\b(you|your|the|and|points?|until|valid|is|are|of|for|with|have|Hello|this)\b", re.IGNORECASE)

each_kind = pytest.mark.parametrize("kind", [pytest.param(kind, id=kind.code) for kind in ALL])
each_language = pytest.mark.parametrize("language", LANGUAGES)


def template(kind: Kind, language: str) -> Template:
    found = shipped.text(kind.code, language)
    assert found is not None
    return Template(found["subject"], found["text"], language=language)


def nowhere(node: Node, sample: Any) -> Any:
    """A sample without a word of any language: texts are dashes."""
    if isinstance(node, Value):
        return "—" if node.type == "text" else sample
    if isinstance(node, Many):
        return [nowhere(node.of, each) for each in sample]
    return {name: nowhere(below, sample[name]) for name, below in node.items()}


@lru_cache
def messages(kind_code: str, language: str) -> tuple[Rendered, ...]:
    kind = next(each for each in ALL if each.code == kind_code)
    whole = {**SAMPLE_EVERYWHERE, **kind.sample}
    cases = [whole, without(kind.tree, whole)]
    cases += [numbered(kind.tree, case, number) for case in cases[:2] for number in NUMBERS]
    return tuple(render(kind, template(kind, language), case) for case in cases)


def test_there_are_texts_in_six_languages():
    assert shipped.languages() == LANGUAGES


@each_language
def test_there_is_a_text_of_every_kind_and_of_no_other(language: str):
    written = tomllib.loads((shipped.TEXTS / f"{language}.toml").read_text(encoding="utf-8"))

    assert set(written) == {"layout", *(kind.code for kind in ALL)}
    assert set(written["layout"]) == {"greeting", "unsubscribe"}


@each_language
@each_kind
def test_nothing_is_to_be_said_of_a_text(kind: Kind, language: str):
    assert check(kind, template(kind, language), language) == []


@each_language
@each_kind
def test_whatever_is_known_the_message_is_whole(kind: Kind, language: str):
    for message in messages(kind.code, language):
        assert message.subject
        assert message.text
        for said in (message.subject, message.text, message.html):
            assert "None" not in said
            assert not set("{}#") & set(said.replace("background:#", "").replace("color:#", "").replace("solid #", ""))
        assert "\n" not in message.subject
        assert "  " not in message.text
        assert not re.search(r" [.,!?:]|\(\)|\n\n\n|[.:]{2}", message.text), message.text


@each_language
@each_kind
def test_every_form_of_the_language_is_given(kind: Kind, language: str):
    written = template(kind, language)

    assert set(forms_of(language)) == FORMS[language]
    for source in (written.subject, written.text):
        for plural in re.findall(r"\|plural\((.*?)\) }}", source):
            assert set(re.findall(r"(\w+)=", plural)) == FORMS[language]
            assert re.findall(r'"([^"]*)"', plural)
            assert plural.count("#") == len(FORMS[language])


@pytest.mark.parametrize("language", [each for each in LANGUAGES if each != "en"])
@each_kind
def test_no_english_is_left(kind: Kind, language: str):
    facts = {**nowhere(kind.tree, {**SAMPLE_EVERYWHERE, **kind.sample}), "unsubscribe_url": "https://x.example"}
    said, english = render(kind, template(kind, language), facts), render(kind, template(kind, "en"), facts)

    assert not ENGLISH.search(f"{said.subject} {said.text}")
    common = set(re.findall(r"[^\W\d_]{3,}", english.text)) & set(re.findall(r"[^\W\d_]{3,}", said.text))
    assert common - {"https", "example"} == set()


@each_language
@each_kind
def test_nobody_says_i_and_who_is_known_is_greeted(kind: Kind, language: str):
    known, unknown = messages(kind.code, language)[:2]

    assert not re.search(r"\bI\b", known.text)
    assert "Anna" in known.text.splitlines()[0]
    assert "Anna" not in unknown.text
    assert known.text.splitlines()[0] != unknown.text.splitlines()[0]


SAID = [
    ("pl", "points_earned", 1, "1 punkt na Twoim koncie"),
    ("pl", "points_earned", 22, "22 punkty na Twoim koncie"),
    ("pl", "points_earned", 12_345, "12 345 punktów na Twoim koncie"),
    ("pl", "points_expired", 2, "2 punkty straciły ważność"),
    ("lv", "points_earned", 21, "Jūs esat saņēmuši 21 punktu"),
    ("lv", "points_earned", 2, "Jūs esat saņēmuši 2 punktus"),
    ("lv", "points_expired", 1, "Beidzies 1 punkta derīguma termiņš"),
    ("fi", "points_earned", 1, "Sait 1 pisteen"),
    ("fi", "points_earned", 5, "Sait 5 pistettä"),
    ("el", "points_expired", 1, "Έληξε 1 πόντος"),
    ("el", "points_expired", 22, "Έληξαν 22 πόντοι"),
    ("hu", "points_earned", 5, "5 pont az Ön számláján"),
    ("en", "points_expiring", 1, "1 point expires after March 31, 2026"),
    ("en", "points_reversed", 101, "101 points were taken back"),
]


@pytest.mark.parametrize(("language", "code", "number", "subject"), SAID)
def test_numbers_are_said_as_they_are_in_the_language(language: str, code: str, number: int, subject: str):
    kind = next(each for each in ALL if each.code == code)
    facts = numbered(kind.tree, {**SAMPLE_EVERYWHERE, **kind.sample}, number)

    assert render(kind, template(kind, language), facts).subject.replace("\xa0", " ") == subject
