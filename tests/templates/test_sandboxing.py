"""A template says what it may, costs what it may, and reaches nothing else, however it is written."""

import time
import tracemalloc
from typing import Any

import pytest

from loyalty.templates import sandboxing
from loyalty.templates.filters import Speech, language_of
from loyalty.templates.sandboxing import Fault, TemplateBroken, faults, parsed, rendered

MANY = tuple({"points": n, "name": "x" * 50} for n in range(100))
VALUES: dict[str, Any] = {
    "points": 1234, "name": "ada", "nothing": None, "items": MANY, "words": ("a", "b"),
    "member": {"first_name": "Ada"}, "long": "x" * 20_000, "evil": "<b>&\"'",
    "braces": "{{ points }}{% for a in items %}",
}  # fmt: skip


def said(source: str, tag: str = "en", *, html: bool = False) -> str:
    return rendered(source, VALUES, Speech(language_of(tag)), html=html)


def found(source: str) -> list[Fault]:
    tree = parsed(source)
    return [tree] if isinstance(tree, Fault) else list(faults(tree))


REFUSED = {
    # reaching for Python
    "a class": "{{ ''.__class__ }}",
    "a class by brackets": "{{ name['__class__'] }}",
    "a class by a filter": "{{ name|attr('__class__') }}",
    "a class of a dictionary": "{{ member.__class__.__mro__ }}",
    "globals of a function": "{{ self.__init__.__globals__ }}",
    "the template itself": "{{ self }}",
    "a method": "{{ name.upper() }}",
    "a method of a dictionary": "{{ member.items() }}",
    "a function": "{{ range(10) }}",
    "another function": "{{ cycler('a', 'b') }}",
    "a namespace": "{% set n = namespace(a=1) %}",
    "a format string": "{{ '{0.__class__}'.format(name) }}",
    "a format string by %": "{{ '%s' % name }}",
    "a format filter": "{{ '%999999999d'|format(1) }}",
    "a map": "{{ items|map(attribute='__class__') }}",
    "a selection": "{{ items|selectattr('points')|list }}",
    "a dictionary as arguments": "{{ points|plural(**member) }}",
    "a tuple as arguments": "{{ name|replace(*words) }}",
    # keeping and reaching other templates
    "a variable": "{% set x = 1 %}",
    "a block of a variable": "{% set x %}a{% endset %}",
    "a macro": "{% macro m() %}a{% endmacro %}",
    "a call of a macro": "{% call m() %}a{% endcall %}",
    "an include": "{% include 'layout.html' %}",
    "an import": "{% import 'a' as b %}",
    "an import of names": "{% from 'a' import b %}",
    "a parent": "{% extends 'layout.html' %}",
    "a block": "{% block a %}b{% endblock %}",
    "a with": "{% with a = 1 %}{{ a }}{% endwith %}",
    "a filtered block": "{% filter upper %}a{% endfilter %}",
    "switching escaping off": "{% autoescape false %}{{ name }}{% endautoescape %}",
    "declaring something safe": "{{ name|safe }}",
    # costs
    "a power": "{{ 9 ** 9 ** 9 }}",
    "a repetition": "{{ 'a' * 1000000000 }}",
    "a repetition of a list": "{{ [1] * 1000000000 }}",
    "a product": "{{ points * points }}",
    "a division": "{{ points / 0 }}",
    "a remainder": "{{ points % 2 }}",
    "a concatenation": "{{ long ~ long }}",
    "a huge number": "{{ " + "9" * 30 + " }}",
    "a number nobody can read": "{{ " + "9" * 15_000 + " }}",
    "a float": "{{ 1e308 }}",
    "a list": "{% for a in [1, 2] %}{% endfor %}",
    "a dictionary": "{{ {'a': 1} }}",
    "a slice": "{{ name[0:1] }}",
    "a loop over what a filter makes": "{% for a in words|join %}{% endfor %}",
    "a loop over a text": "{% for a in 'abc' %}{% endfor %}",
    "a loop that calls itself": "{% for a in items recursive %}{{ loop(a) }}{% endfor %}",
    "a loop that unpacks": "{% for a, b in items %}{% endfor %}",
    "three loops in each other": "{% for a in items %}{% for b in items %}{% for c in items %}"
    "{% endfor %}{% endfor %}{% endfor %}",
    "deep brackets": "{{ " + "(" * 5_000 + "1" + ")" * 5_000 + " }}",
    "a deep negation": "{{ " + "not " * 4_000 + "name }}",
    "a deep sum": "{{ 1" + " + 1" * 4_000 + " }}",
    "deep conditions": "{% if name %}" * 200 + "{% endif %}" * 200,
    "a long chain of filters": "{{ name" + "|upper" * 1_000 + " }}",
    "too many places": "{{a}}" * 4_000,
    "too much": "x" * 20_001,
    "a name with an underscore": "{{ _name }}",
    "a part with an underscore": "{{ member._name }}",
}


@pytest.mark.parametrize("source", REFUSED.values(), ids=REFUSED.keys())
def test_it_is_refused_before_it_is_rendered(source: str):
    began = time.process_time()

    assert found(source)
    with pytest.raises(TemplateBroken):
        said(source)

    assert time.process_time() - began < 2


FAILS = {
    "an unknown name": "{{ nobody }}",
    "an unknown part": "{{ member.nmae }}",
    "a part of a text": "{{ name.first }}",
    "a method that is not called": "{{ member.items }}",
    "a method of a text": "{{ name.upper }}",
    "a method of a list": "{{ items.append }}",
    "what a loop is made of": "{% for a in items %}{{ loop.cycle }}{% endfor %}",
    "the context of a loop": "{% for a in items %}{{ loop }}{% endfor %}",
    "a dictionary, printed": "{{ member }}",
    "a list, printed": "{{ words }}",
    "a sum of texts": "{{ long + long }}",
    "a negative text": "{{ -name }}",
    "a sum without end": "{{ 900000000000000 + 900000000000000 }}",
    "a text that grows": "{{ 'a'" + "|replace('a', 'aaaaaaaaaaaaaaaaaaaa')" * 20 + " }}",
    "a text that explodes": "{{ long|replace('x', long) }}",
    "a text in all gaps": "{{ long|replace('', long) }}",
    "a list joined by itself": "{{ items|join(long) }}",
    "a plural that explodes": "{{ points|plural(other='" + "#" * 9_000 + "') }}",
    "a plural of text": "{{ name|plural(other='a') }}",
    "a plural without other": "{{ points|plural(one='a') }}",
    "an unknown form": "{{ points|plural(other='a', some='b') }}",
    "the number of a text": "{{ name|number }}",
    "money of no currency": "{{ points|money(points) }}",
    "the day of a number": "{{ points|day }}",
    "more than a message has": "{% for a in items %}{{ long }}{% endfor %}",
    "a loop over a text by name": "{% for a in name %}{{ a }}{% endfor %}",
    "loops that print nothing": "{% for a in items %}{% for b in items %}{% endfor %}{% endfor %}" * 30,
    "joins in a loop": "{% for a in items %}{{ items|join('') }}{% endfor %}",
    "an argument that is given twice": "{{ points|plural(one='a', one='b', other='c') }}",
    "an argument called as a keyword of Python": "{{ points|plural(class='a', other='b') }}",
    "a loop named as what loops say": "{% for loop in items %}{{ loop }}{% endfor %}",
    "a comparison of unlike things": "{{ 'a' if points > name else 'b' }}",
}


@pytest.mark.parametrize("source", FAILS.values(), ids=FAILS.keys())
def test_it_fails_and_costs_little(source: str):
    tracemalloc.start()
    began = time.process_time()

    with pytest.raises(TemplateBroken):
        said(source)

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert time.process_time() - began < 3
    assert peak < 30_000_000


def test_the_costliest_that_is_allowed_is_cheap():
    source = "{% for a in items %}{% for b in words %}{{ a.points }}{% endfor %}{% endfor %}"

    began = time.process_time()
    said(source * 20)

    assert time.process_time() - began < 3


SAID = [
    ("{{ name|upper }} {{ name|title }} {{ name|length }}", "ADA Ada 3"),
    ("{{ points }} {{ points|points }} {{ points + 1 - 2 }}", "1,234 1,234 1,233"),
    ("{{ points|plural(one='# point', other='# points') }}", "1,234 points"),
    ("{{ 1|plural(one='# point', other='# points') }}", "1 point"),
    ("{{ points|money('EUR') }}", "€12.34"),
    ("{{ nothing }}{{ nothing|day }}{{ nothing|points }}|", "|"),
    ("{{ nothing|default('friend') }}, {{ name|default('friend') }}, {{ 0|default('x') }}", "friend, ada, 0"),
    ("{{ words|join(', ') }} {{ words|first }} {{ words|last }} {{ words|length }}", "a, b a b 2"),
    ("{% for w in words %}{{ loop.index }}{{ w }}{% if not loop.last %};{% endif %}{% endfor %}", "1a;2b"),
    ("{% if nothing is none and member.first_name %}yes{% else %}no{% endif %}", "yes"),
    ("{{ 'a' if nothing else 'b' }}", "b"),
    ("{{ ' x '|trim|replace('x', 'y') }}{# nothing #}", "y"),
    ("a\n{% if name %}\nb\n{% endif %}\nc", "a\nb\nc"),
    ("{% if name %}a{% endif %}\nb", "a\nb"),
    ("{% raw %}{{ name }}{% endraw %}", "{{ name }}"),
]


@pytest.mark.parametrize(("source", "expected"), SAID)
def test_it_says_what_it_may(source: str, expected: str):
    assert found(source) == []
    assert said(source) == expected


def test_only_html_is_escaped_and_there_everything():
    assert said("{{ evil }}") == "<b>&\"'"
    assert said("<i>{{ evil }}{{ evil|upper }}{{ '<' }}</i>", html=True) == (
        "<i>&lt;b&gt;&amp;&#34;&#39;&lt;B&gt;&amp;&#34;&#39;&lt;</i>"
    )


def test_what_a_value_says_is_not_a_template():
    assert said("{{ braces }}") == "{{ points }}{% for a in items %}"


def test_a_fault_names_its_line():
    assert found("a\n{% if name %}\nb\n{% endif %}\n{{ name.upper() }}")[0].line == 5
    assert found("a\nb\n{{ name")[0].line == 3


def test_nothing_of_python_is_left_in_the_environment():
    for environment in (sandboxing._PLAIN, sandboxing._HTML):
        assert environment.globals == {}
        assert not {"attr", "map", "format", "safe", "xmlattr", "tojson", "pprint"} & set(environment.filters)
        assert set(environment.tests) == {"none", "defined"}
