"""Members read of their tier in their language; every language can say everything."""

import string
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from babel import Locale
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from loyalty.core import i18n
from loyalty.core.i18n import Counted, Message, language
from tests.api import Api
from tests.builders import NOW
from tests.clocks import it_is
from tests.shop import buy, configure
from tests.tiers.published import TIERS, publish, tier_of

LOYALTY = Path(i18n.__file__).resolve().parents[1]
LANGUAGES = ["el", "fi", "hu", "lv", "pl"]


def in_the_code() -> set[Any]:
    """Every sentence of the code; those that depend on a number with both forms."""
    keywords = {"Message": (1,), "Counted": (1, 2)}
    found = extract_from_dir(LOYALTY, method_map=[("**.py", "python")], keywords=keywords)
    return {message for *_, message, _comments, _context in found}


def places(text: str) -> set[str]:
    """What is to be filled in."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_sentences_are_found_in_the_code():
    assert "You have {tier}." in in_the_code()
    assert len(in_the_code()) > 20


def test_these_are_the_languages():
    assert list(i18n.catalogues()) == LANGUAGES


@pytest.mark.parametrize("tag", LANGUAGES)
def test_every_catalogue_says_everything_and_nothing_else(tag: str):
    with i18n.catalogues()[tag].open("rb") as file:
        catalogue = read_po(file, locale=tag, abort_invalid=True)
    entries = {message.id if isinstance(message.id, str) else tuple(message.id): message for message in catalogue}
    entries.pop("")

    assert set(entries) == in_the_code()
    for source, message in entries.items():
        sources = [source] if isinstance(source, str) else source
        strings = [message.string] if isinstance(source, str) else message.string
        assert all(strings), source
        assert len(strings) == (1 if isinstance(source, str) else catalogue.num_plurals)
        assert all(places(text) == places(sources[0]) == places(sources[-1]) for text in strings), source
        assert not message.fuzzy


@pytest.mark.parametrize("tag", LANGUAGES)
def test_the_forms_of_a_catalogue_go_with_the_rules_of_the_language(tag: str):
    words, rule = language(tag), Locale.parse(tag).plural_form

    forms = {(words._form(n), rule(n)) for n in range(1, 1_000)}

    assert len(forms) == len({form for form, _ in forms}) == len({name for _, name in forms})


SPEND = Message("Spend {amount} more by {day} to keep {tier}.")
EARN = Counted("Earn {count} more point to reach {tier}.", "Earn {count} more points to reach {tier}.")

SAID = {
    "en": ("Spend €1,234.50 more by December 31, 2027 to keep Gold.", "Earn 22 more points to reach Gold."),
    "en-GB": ("Spend €1,234.50 more by 31 December 2027 to keep Gold.", "Earn 22 more points to reach Gold."),
    "pl": (
        "Wydaj do 31 grudnia 2027 jeszcze 1 234,50 €, aby zachować poziom Gold.",
        "Zdobądź jeszcze 22 punkty, aby osiągnąć poziom Gold.",
    ),
    # ruff takes short Greek words for Latin ones.
    "el": (
        "Ξοδέψτε ακόμη 1.234,50 € έως και 31 Δεκεμβρίου 2027 για να διατηρήσετε το επίπεδο Gold.",  # noqa: RUF001
        "Κερδίστε ακόμη 22 πόντους για να φτάσετε στο επίπεδο Gold.",  # noqa: RUF001
    ),
    "fi": (
        "Osta vielä 1 234,50 € edestä viimeistään 31. joulukuuta 2027, niin säilytät tason Gold.",
        "Kerää vielä 22 pistettä, niin saavutat tason Gold.",
    ),
    "lv": (
        "Līdz 31.12.2027. iztērējiet vēl 1 234,50 €, lai saglabātu līmeni Gold.",
        "Nopelniet vēl 22 punktus, lai sasniegtu līmeni Gold.",
    ),
    "hu": (
        "Költsön 2027. december 31. napjáig még 1 234,50 EUR értékben, hogy megtartsa szintjét: Gold.",
        "Gyűjtsön még 22 pontot a következő szintért: Gold.",
    ),
}


@pytest.mark.parametrize("tag", SAID)
def test_money_dates_and_numbers_are_written_as_the_language_does(tag: str):
    words = language(tag)
    amount, day = words.money(123_450, "EUR"), words.day(date(2027, 12, 31))

    said = words.say(SPEND, amount=amount, day=day, tier="Gold"), words.say(EARN, 22, tier="Gold")

    assert tuple(text.replace("\xa0", " ") for text in said) == SAID[tag]


@pytest.mark.parametrize(
    ("tag", "forms"),
    [
        ("en", {1: "point", 2: "points", 21: "points"}),
        ("pl", {1: "punkt", 2: "punkty", 5: "punktów", 12: "punktów", 21: "punktów", 22: "punkty", 112: "punktów"}),
        ("el", {1: "πόντο", 2: "πόντους", 21: "πόντους"}),
        ("fi", {1: "piste", 2: "pistettä", 21: "pistettä"}),
        ("lv", {1: "punktu", 2: "punktus", 10: "punktu", 11: "punktu", 21: "punktu", 22: "punktus"}),
        ("hu", {1: "pontot", 2: "pontot"}),
    ],
)
def test_what_is_counted_agrees_with_its_number(tag: str, forms: dict[int, str]):
    for number, form in forms.items():
        words = language(tag).say(EARN, number, tier="Gold").replace(",", "").split()
        assert form in words, (number, words)


@pytest.mark.parametrize(
    ("minor_units", "currency", "written"),
    [(5, "JPY", "¥5"), (1_500, "KWD", "KWD1.500"), (123_450, "RSD", "RSD1,234.50"), (-1, "EUR", "-€0.01")],
)
def test_money_has_the_decimals_of_its_minor_unit(minor_units: int, currency: str, written: str):
    assert language("en").money(minor_units, currency) == written


@pytest.mark.parametrize("tag", ["de", "pt-BR", "xx", "en-Zzzz-QQ", "", None])
def test_what_has_no_catalogue_is_said_in_english(tag: str | None):
    assert language(tag).say(EARN, 1, tier="Gold") == "Earn 1 more point to reach Gold."


@pytest.mark.parametrize("tag", ["pl-PL", "pl_PL", "pl-Latn-PL", "pl-xx"])
def test_a_region_speaks_its_language(tag: str):
    assert language(tag).say(EARN, 1, tier="Gold") == "Zdobądź jeszcze 1 punkt, aby osiągnąć poziom Gold."


@pytest.mark.parametrize(
    ("tag", "name"), [("pt-BR", "Prata"), ("pt_br", "Prata"), ("pt", None), ("pl-PL", "Srebrny"), ("", None)]
)
def test_words_are_those_of_the_exact_tag_or_of_its_language(tag: str, name: str | None):
    found = i18n.in_words_of(tag, TIERS[1]["translations"])

    assert (found and found["name"]) == name


@pytest.fixture
def _ladder(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    it_is(monkeypatch, NOW)
    publish(api)


@pytest.mark.usefixtures("_ladder")
def test_a_member_is_answered_in_their_language(api: Api):
    api.enrol(locale="pl-PL")
    buy(api, "A-1", amount=12_000)

    found = tier_of(api)

    assert found["locale"] == "pl-PL"
    assert (found["tier"]["name"], found["tier"]["description"]) == ("Srebrny", "Dla tych, którzy wracają.")
    assert found["tier"]["benefits"]["perks"] == ["Darmowa dostawa"]
    assert (found["next"]["tier"]["name"], found["projection"]["tier"]["name"]) == ("Złoty", "Brązowy")
    assert found["text"].replace("\xa0", " ") == (
        "Masz poziom Srebrny do 31 grudnia 2027 włącznie. Wydaj jeszcze 130,00 €, aby osiągnąć poziom Złoty."
    )
    assert found["projection"]["text"] == "Jeśli nic się nie zmieni, od 1 stycznia 2028 będziesz mieć poziom Brązowy."


@pytest.mark.usefixtures("_ladder")
def test_another_language_can_be_asked_for(api: Api):
    api.enrol(locale="pl")

    found = tier_of(api, locale="fi")

    assert (found["locale"], found["tier"]["name"], found["tier"]["description"]) == ("fi", "Bronze", None)
    assert found["text"].startswith("Tasosi on Bronze.")
    assert api.get("/v1/members/c-42/tier?locale=../pl").status_code == 422


def test_who_has_no_language_reads_that_of_the_program(api: Api):
    configure(api, locale="hu")
    publish(api)
    api.enrol()

    assert tier_of(api)["text"].startswith("Az Ön szintje: Bronze.")


@pytest.mark.parametrize("tag", ["en", *LANGUAGES])
@pytest.mark.parametrize("basis", ["spend", "points_earned", "orders"])
def test_every_sentence_can_be_said_of_every_basis(api: Api, monkeypatch: pytest.MonkeyPatch, tag: str, basis: str):
    it_is(monkeypatch, NOW)
    tiers = [{**tier, "threshold": n} for n, tier in enumerate(TIERS)]
    publish(api, basis=basis, tiers=tiers, grace={"days": 10})
    api.enrol(locale=tag)
    texts = [tier_of(api)["text"]]
    buy(api, "A-1", amount=100)
    for days in (0, 400, 672):  # now, when it counts, in the grace
        it_is(monkeypatch, NOW + timedelta(days=days))
        texts += [tier_of(api)["text"], tier_of(api)["projection"]["text"]]

    assert all(text and "{" not in text for text in texts)
