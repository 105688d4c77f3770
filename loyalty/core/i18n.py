"""Sentences, money, numbers and dates in the language of whoever reads them.

The English sentences stand where they are used, as `Message` or `Counted`; their translations are gettext catalogues
in `loyalty/locales/<language>/LC_MESSAGES/loyalty.po`, read as they are, once, when somebody first needs them. What a
catalogue lacks is said in English.
"""

import gettext
from collections.abc import Iterable, Mapping
from copy import copy
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from babel.numbers import NumberPattern, format_decimal

from loyalty.core.money import exponent_of

T = TypeVar("T")

LOCALES = Path(__file__).resolve().parents[1] / "locales"

# The language of the sentences in the code, which needs no catalogue.
SOURCE = "en"

# Tags come from callers: a few hundred are real, and what is remembered must not grow with what anybody makes up.
REMEMBERED_MAX = 256


@dataclass(frozen=True, slots=True)
class Message:
    """A sentence with named places: `You have {tier}.` `context` tells apart what is the same in English only."""

    text: str
    context: str | None = None


@dataclass(frozen=True, slots=True)
class Counted:
    """A sentence that depends on a number, `{count}`: for one, and for any other."""

    one: str
    other: str


# How a date is written amid a sentence: "full", "long", "medium", "short", or a pattern of CLDR. Languages that would
# have to inflect the name of a month write it another way.
DATE_FORMAT = Message("long", context="the format of dates in sentences")


class Language:
    """One language, of one region if that is known: how it says things."""

    def __init__(self, locale: Locale, catalogue: Catalog | None) -> None:
        self.locale, self._catalogue = locale, catalogue
        expression = catalogue.plural_expr if catalogue is not None else "(n != 1)"
        self._form = gettext.c2py(expression)
        self._date_format = self._translated(DATE_FORMAT.text, DATE_FORMAT.context)[0]

    def say(self, message: Message | Counted, count: int = 0, **values: object) -> str:
        """A sentence with its values; of a `Counted` one, the form that goes with `count`."""
        if isinstance(message, Message):
            return self._translated(message.text, message.context)[0].format(**values)
        forms = self._translated((message.one, message.other))
        return forms[self._form(count)].format(count=self.number(count), **values)

    def number(self, value: int) -> str:
        """`12345` -> `12,345`."""
        return format_decimal(value, locale=self.locale)

    def money(self, minor_units: int, currency: str) -> str:
        """`1999, "EUR"` -> `€19.99`. The currency's own minor unit counts, even where prices are usually rounded."""
        exponent = exponent_of(currency)
        amount = Decimal(minor_units).scaleb(-exponent)
        pattern = _money_pattern(self.locale, exponent)
        return str(pattern.apply(amount, self.locale, currency=currency, currency_digits=False))

    def day(self, day: date) -> str:
        """A date, as it stands in a sentence."""
        return format_date(day, format=self._date_format, locale=self.locale)

    def _translated(self, source: str | tuple[str, str], context: str | None = None) -> tuple[str, ...]:
        """The forms of a sentence; those of the source where the catalogue has none."""
        key = source if isinstance(source, str) else source[0]
        found = self._catalogue.get(key, context) if self._catalogue is not None else None
        strings = _as_forms(found.string) if found is not None else ()
        if strings and all(strings):
            return strings
        # The source has two forms; other languages may ask for more.
        return _as_forms(source) if isinstance(source, str) else (source[0], *(source[1],) * 5)


def language(tag: str | None) -> Language:
    """The language of a tag such as `pl` or `pt-BR`; English for one that has no catalogue."""
    return _language(_plain(tag or SOURCE))


def catalogues() -> dict[str, Path]:
    """The file of each language that sentences are translated to."""
    return {path.parents[1].name: path for path in sorted(LOCALES.glob("*/LC_MESSAGES/loyalty.po"))}


def in_words_of(tag: str | None, translations: Mapping[str, T]) -> T | None:
    """What is given for the exact tag, else for its language."""
    known = {_plain(each): words for each, words in translations.items()}
    return next((known[each] for each in _wider(_plain(tag or "")) if each in known), None)


@lru_cache(maxsize=REMEMBERED_MAX)
def _language(tag: str) -> Language:
    files = catalogues()
    for each in _wider(tag):
        name = next((name for name in (*files, SOURCE) if _plain(name) == each), None)
        if name is not None:
            return Language(_locale((tag, each)), _catalogue(name) if name in files else None)
    return Language(Locale.parse(SOURCE), None)


def _locale(tags: Iterable[str]) -> Locale:
    """The first of some tags that CLDR knows; a tag that is well-formed may still be nobody's."""
    for tag in tags:
        try:
            return Locale.parse(tag, sep="-")
        except (UnknownLocaleError, ValueError):
            continue
    return Locale.parse(SOURCE)


@lru_cache
def _catalogue(name: str) -> Catalog:
    with catalogues()[name].open("rb") as file:
        return read_po(file, locale=name, abort_invalid=True)


@lru_cache(maxsize=REMEMBERED_MAX)
def _money_pattern(locale: Locale, exponent: int) -> NumberPattern:
    pattern = copy(locale.currency_formats["standard"])
    pattern.frac_prec = (exponent, exponent)
    made: NumberPattern = pattern
    return made


def _plain(tag: str) -> str:
    return tag.replace("_", "-").lower()


def _wider(tag: str) -> list[str]:
    """`pt-br` -> `pt-br, pt`."""
    return [tag, tag.partition("-")[0]]


def _as_forms(strings: Any) -> tuple[str, ...]:
    return (strings,) if isinstance(strings, str) else tuple(strings)
