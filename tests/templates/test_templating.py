"""A message out of a template: its subject on one line, its text, and the same as HTML."""

import time
from datetime import date

import pytest

from loyalty.templates import shipped
from loyalty.templates.kinds import KINDS, LIST_MAX, SAMPLE_EVERYWHERE, FactMissing, plain
from loyalty.templates.sandboxing import TemplateBroken
from loyalty.templates.templating import Template, as_item, greetable, one_line, paragraphs, render

TIER_UP, STATEMENT = KINDS["tier_up"], KINDS["balance_statement"]
FACTS = {**SAMPLE_EVERYWHERE, **TIER_UP.sample}


def made(subject: str = "s", text: str = "t", html: str | None = None, *, language: str = "en", **facts):
    return render(TIER_UP, Template(subject, text, html, language=language), {**FACTS, **facts})


def test_a_subject_begins_no_other_header():
    message = made("{{ tier }}\r\nBcc: all@example.com", tier="Gold\r\nBcc: x@example.com\u2028\x00\x1b[31m\u202e")

    assert message.subject == "Gold Bcc: x@example.com [31m Bcc: all@example.com"


def test_a_subject_has_an_end():
    with pytest.raises(TemplateBroken, match="A subject has at most 500"):
        made("{{ tier }}", tier="x" * 501)


def test_what_cannot_be_stored_is_left_out():
    assert made(text='{{ tier }}{{ "\\ud800" }}', tier="a\x00b\x7fc\ud800d").text.partition("\n")[0] == "abcd"


def test_a_text_becomes_paragraphs_lists_and_links():
    html = paragraphs("Hi <Ada>,\nwelcome.\n\nYours:\n- tea & cake\n- see https://shop.example/a?b=1&c=2.\n\nBye")

    assert html == (
        "<p>Hi &lt;Ada&gt;,<br>welcome.</p>\n<p>Yours:</p>\n<ul><li>tea &amp; cake</li><li>see "
        '<a href="https://shop.example/a?b=1&amp;c=2">https://shop.example/a?b=1&amp;c=2</a>.</li></ul>\n<p>Bye</p>'
    )


@pytest.mark.parametrize(
    "evil", ["https://a.example/\"onclick='x'", "https://a.example/<script>", "javascript:alert(1)"]
)
def test_a_link_is_nothing_but_a_link(evil: str):
    html = paragraphs(evil)

    assert "<script" not in html
    assert 'onclick="' not in html.replace("&#34;", "")
    assert 'href="javascript' not in html


def test_html_has_one_layout_with_the_language_and_its_direction():
    message = made("Hi & bye", "Text", program={"name": "<Shop>", "storefront_url": "https://shop.example"})

    assert message.html.startswith('<!doctype html>\n<html lang="en" dir="ltr">')
    assert "<title>Hi &amp; bye</title>" in message.html
    assert "&lt;Shop&gt;" in message.html
    assert 'href="https://shop.example/unsubscribe/sample"' in message.html
    assert '<html lang="ar" dir="rtl">' in made(language="ar").html
    assert "unsubscribe" not in made(unsubscribe_url=None).html


def test_html_of_ones_own_is_escaped_and_goes_through_the_layout_unless_it_is_a_page():
    part = made(html="<h1>{{ tier }}</h1>", tier="<b>Gold</b>").html
    page = made(html=" <!DOCTYPE html><html><body>{{ tier }}</body></html>", tier="<b>").html

    assert "<h1>&lt;b&gt;Gold&lt;/b&gt;</h1>" in part
    assert part.startswith("<!doctype html>")
    assert page == " <!DOCTYPE html><html><body>&lt;b&gt;</body></html>"


def test_a_text_says_how_to_get_no_more_unless_it_does_already():
    url = SAMPLE_EVERYWHERE["unsubscribe_url"]

    assert made(text="Hi").text == f"Hi\n\nUnsubscribe from these messages: {url}"
    assert made(text="Stop: {{ unsubscribe_url }}").text == f"Stop: {url}"
    assert made(text="Hi", unsubscribe_url=None).text == "Hi"
    assert made(text="Hej", language="pl").text == f"Hej\n\nZrezygnuj z tych wiadomości: {url}"
    assert url in made(text="Moin", language="de").text


def test_empty_lines_cost_nothing_however_long_they_are():
    began = time.process_time()

    made(text="{{ tier }}\n{{ tier }}", tier=" " * 20_000)
    made(text="{{ tier }}", tier="\n \t" * 6_000 + "http://" + "," * 1_000)

    assert time.process_time() - began < 2


def test_a_message_in_a_digest_neither_greets_nor_signs():
    words = shipped.text("tier_up", "pl")
    assert words is not None

    item = as_item(TIER_UP, Template(words["subject"], words["text"], language="pl"), FACTS)

    assert item["subject"] == "Twój nowy poziom: Gold"
    assert item["text"] == (
        "Gratulacje! Masz teraz poziom Gold.\n\nTwoje korzyści:\n\n- Free delivery\n- Early access to sales"
    )
    assert as_item(TIER_UP, Template("s", "Own text"), FACTS)["text"] == "Own text"


@pytest.mark.parametrize("name", ["Ada", "Anna Maria", "O'Neil", "J.", "Γιώργος", "Jean-Luc", "Zoë"])
def test_a_name_is_greeted(name: str):
    assert greetable(f" {name}\n") == name


@pytest.mark.parametrize(
    "name",
    [None, "", "  ", "https://evil.example", "evil.example", "Win at evil.com now", "a@b.example", "<b>", "x" * 61],
)
def test_an_advertisement_is_not_greeted(name: str | None):
    assert greetable(name) is None


def test_numbers_days_and_months_are_said_in_the_language_of_the_template():
    text = "{{ earned }} {{ month|day }} {{ month|month }}"
    facts = {**SAMPLE_EVERYWHERE, **STATEMENT.sample, "earned": 12345, "unsubscribe_url": None}

    def said(language: str) -> str:
        return render(STATEMENT, Template("s", text, language=language), facts).text.replace("\xa0", " ")

    assert said("en") == "12,345 February 1, 2026 February 2026"
    assert said("pl") == "12 345 1 lutego 2026 luty 2026"
    assert said("de") == "12.345 1. Februar 2026 Februar 2026"
    assert said("pt-BR") == "12.345 1 de fevereiro de 2026 fevereiro de 2026"


def test_facts_may_be_as_json_keeps_them():
    tree = {"month": STATEMENT.variables["month"], "expiring": STATEMENT.variables["expiring"]}

    found = plain(tree, {"month": "2026-02-01", "expiring": [{"points": 1, "expires_on": "2026-03-31"}] * 500, "x": 1})

    assert found["month"] == date(2026, 2, 1)
    assert len(found["expiring"]) == LIST_MAX
    assert found["expiring"][0] == {"points": 1, "expires_on": date(2026, 3, 31)}
    assert "x" not in found


@pytest.mark.parametrize("facts", [{"tier": None}, {"tier": 7}, {"perks": "x"}, {"perks": [1]}, {"member": None}])
def test_a_fact_that_is_missing_is_missed(facts):
    with pytest.raises(FactMissing):
        made(**facts)


def test_one_line_is_one_line():
    assert one_line(" a\n\tb\r\nc\x85d\u2029e ") == "a b cd e"
