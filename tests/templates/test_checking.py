"""What the check of a template finds."""

import re
from pathlib import Path

import pytest

from loyalty.templates.checking import check
from loyalty.templates.kinds import KINDS
from loyalty.templates.templating import Source

EARNED, STATEMENT, REWARD = KINDS["points_earned"], KINDS["balance_statement"], KINDS["reward_within_reach"]


def found(text: str, kind=EARNED, *, language: str = "en", subject: str = "s", html: str | None = None):
    return [(f.level, f.code, f.pointer) for f in check(kind, Source(subject, text, html), language)]


ERRORS = [
    ("{{ member.nmae }}", "unknown-variable"),
    ("{{ tier }}", "unknown-variable"),
    ("{{ points.value }}", "unknown-variable"),
    ("{% if oder_id %}a{% endif %}", "unknown-variable"),
    ("{{ points|plural(one=nobody, other='a') }}", "unknown-variable"),
    ("{{ loop.index }}", "unknown-variable"),
    ("{{ points|poinst }}", "unknown-filter"),
    ("{% if points is odd %}a{% endif %}", "unknown-test"),
    ("{{ points", "syntax"),
    ("{% if points %}a", "syntax"),
    ("{% set a = 1 %}", "not-allowed"),
    ("{{ points.bit_length() }}", "not-allowed"),
    ("{{ points|plural(one='a') }}", "plural-other"),
    ("{{ member }}", "not-a-text"),
    ("{% for a in points %}b{% endfor %}", "not-a-list"),
    ("{{ points|day }}", "wrong-type"),
    ("{{ expires_on|points }}", "wrong-type"),
    ("{{ 'a' if order_id }}", "else-missing"),
    ("{% if order_id %}a{% endif %}", "empty"),
    ("{{ points|plural(other='a', some='b') }}", "rendering"),
    ("{% if expires_on > 5 %}a{% endif %}b", "rendering"),
]


@pytest.mark.parametrize(("text", "code"), ERRORS)
def test_what_cannot_be_is_an_error(text: str, code: str):
    assert ("error", code, "/text") in found(text)


def test_a_part_of_each_of_a_list_is_known():
    text = "{% for each in expiring %}{{ each.points }} {{ each.expires_on|day }} {{ loop.index }}{% endfor %}b"
    assert found(text, STATEMENT) == []
    assert found(text.replace("each.points", "each.pionts"), STATEMENT) == [("error", "unknown-variable", "/text")]
    assert found(text + "{{ each.points }}", STATEMENT) == [("error", "unknown-variable", "/text")]


def test_who_mistypes_is_told_what_was_meant_and_where():
    (finding,) = check(EARNED, Source("s", "a\n\n{{ member.frist_name }}"), "en")

    assert finding.detail == "Line 3: There is no 'member.frist_name'. Did you mean 'first_name'?"


UNKNOWN = [
    ("Hi {{ member.first_name }}", True),
    ("Hi {{ member.first_name|upper }}", True),
    ("Hi {{ expires_on|day }}", True),
    ("Hi {{ member.first_name|default('friend') }}", False),
    ("Hi{% if member.first_name %} {{ member.first_name }}{% endif %}", False),
    ("Hi{% if member.first_name is not none %} {{ member.first_name }}{% endif %}", False),
    ("Hi{% if not member.first_name %}!{% else %} {{ member.first_name }}{% endif %}", False),
    ("Hi{% if points and member.first_name %} {{ member.first_name }}{% endif %}", False),
    ("Hi{% if points or member.first_name %} {{ member.first_name }}{% endif %}", True),
    ("Hi{% if member.first_name %}!{% endif %} {{ member.first_name }}", True),
    ("Hi{% if order_id %} {{ member.first_name }}{% endif %}", True),
    ("Hi {{ member.first_name if member.first_name else 'friend' }}", False),
    ("Hi {{ member.first_name if points else 'friend' }}", True),
    ("Hi {{ points }}", False),
]


@pytest.mark.parametrize(("text", "warned"), UNKNOWN)
def test_what_may_be_unknown_is_asked_for_first(text: str, warned: bool):
    assert found(text) == ([("warning", "may-be-unknown", "/text")] if warned else [])


def test_each_language_has_its_forms():
    text = "{{ points|plural(one='a', other='b') }}"

    assert found(text) == []
    assert found(text, language="pl") == [("warning", "plural-forms", "/text")]
    assert found(text, language="lv") == [("warning", "plural-forms", "/text")]
    assert found("{{ points|plural(zero='a', one='b', other='c') }}", language="lv") == []


def test_each_part_is_checked_at_its_place():
    assert found("{{ a }}", subject="{{ b }}", html="{{ c }}") == [
        ("error", "unknown-variable", "/subject"), ("error", "unknown-variable", "/text"),
        ("error", "unknown-variable", "/html"),
    ]  # fmt: skip
    assert found("a", subject="{% if order_id %}a{% endif %}") == [("error", "empty", "/subject")]
    assert found("a", subject="x" * 301) == [("error", "too-long", "/subject")]
    assert found("x" * 20_001) == [("error", "too-long", "/text")]
    assert found("a", html="{{ points|plural(one='a', other='a', some='b') }}") == [("error", "rendering", "/html")]


def test_a_page_of_ones_own_has_a_way_out_if_nobody_asked_for_it():
    page = "<!doctype html><p>{{ reward.name }}</p>"

    assert found("a", REWARD, html=page) == [("warning", "no-way-out", "/html")]
    assert found("a", REWARD, html=f"{page}{{% if unsubscribe_url %}}{{{{ unsubscribe_url }}}}{{% endif %}}") == []
    assert found("a", REWARD, html="<p>{{ reward.name }}</p>") == []
    assert found("a", EARNED, html="<!doctype html><p></p>") == []


def test_what_is_found_is_documented():
    root = Path(__file__).resolve().parents[2]
    howto = (root / "docs/howto.md").read_text(encoding="utf-8").partition("## What the check of a template finds")[2]
    documented = set(re.findall(r"`([a-z]+(?:-[a-z]+)*)`(?=[^|]*\| (?:error|warning))", howto))

    slice_ = root / "loyalty/templates"
    code = "".join((slice_ / f"{name}.py").read_text() for name in ("sandboxing", "checking", "reading"))
    named = re.findall(r'(?:Fault\(|error\(|warning\(|_say\("\w+", )f?"([a-z{}-]+)"', code)
    assert {each for name in named for each in _spelled(name)} == documented


def _spelled(name: str) -> list[str]:
    return [name.replace("{word}", word) for word in ("filter", "test")] if "{" in name else [name]
