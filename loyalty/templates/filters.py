"""What a template can do with a value: numbers, points, money and days in the language of the message. Pure."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any, Final

from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from jinja2 import Undefined, pass_context
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context

from loyalty.core import i18n
from loyalty.core.i18n import Language

# Where a rendering keeps who speaks. No template can name it: names have no spaces.
SPEECH: Final = "the speech"
# A value, and what a filter makes of it.
TEXT_MAX = 20_000
# How many turns all the loops of one rendering may take.
TURNS_MAX = 10_000

# A language with a script, a region, a variant.
_TAG: Final = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8}){0,3}")

FORMS: Final = ("zero", "one", "two", "few", "many", "other")
# Numbers whose plural forms are all that whole numbers have in any language.
_SAMPLES = (*range(201), 1_000, 1_000_000)


@dataclass(slots=True)
class Speech:
    """The language of one rendering, and how many turns its loops still have."""

    language: Language
    turns: int = TURNS_MAX


def language_of(tag: str) -> Language:
    """How a language says numbers and days, whether or not there are texts in it; English for one nobody knows."""
    return _language(tag.replace("_", "-"))


@lru_cache(maxsize=i18n.REMEMBERED_MAX)
def _language(tag: str) -> Language:
    translated, known = i18n.language(tag), known_locale(tag)
    if known is None or translated.locale.language == known.language:
        return translated
    return Language(known, None)


def known_locale(tag: str) -> Locale | None:
    """What CLDR knows of a language tag."""
    if not _TAG.fullmatch(tag):
        return None
    try:
        return Locale.parse(tag.replace("_", "-"), sep="-")
    except (UnknownLocaleError, ValueError):
        return None


@lru_cache(maxsize=i18n.REMEMBERED_MAX)
def forms_of(tag: str) -> tuple[str, ...]:
    """The plural forms that whole numbers need in a language; "other" is always one."""
    found = {language_of(tag).locale.plural_form(number) for number in _SAMPLES}
    return tuple(form for form in FORMS if form in found or form == "other")


@pass_context
def in_words(context: Context, value: Any) -> str:
    """What is printed of a value: numbers and days in the language of the message, and nothing of what is unknown."""
    if isinstance(value, Undefined):
        return str(value)  # which says that it is undefined
    if value is None:
        return ""
    if type(value) is int:
        return _speech(context).language.number(value)
    if type(value) is date:
        return _speech(context).language.day(value)
    return _text(value)


@pass_context
def counted(context: Context, values: Any) -> Any:
    """A list that a loop goes through, paid for."""
    _pay(context, _list(values))
    return values


@pass_context
def _number(context: Context, value: Any) -> str:
    return "" if value is None else _speech(context).language.number(_whole(value))


@pass_context
def _money(context: Context, value: Any, currency: Any) -> str:
    return "" if value is None else _speech(context).language.money(_whole(value), _text(currency))


@pass_context
def _day(context: Context, value: Any) -> str:
    return "" if value is None else _speech(context).language.day(_date(value))


@pass_context
def _month(context: Context, value: Any) -> str:
    if value is None:
        return ""
    locale = _speech(context).language.locale
    # Hungarian and Latvian put the year first, which only CLDR knows.
    skeleton = locale.datetime_skeletons.get("yMMMM")
    return format_date(_date(value), format=str(skeleton.pattern) if skeleton else "LLLL y", locale=locale)


@pass_context
def _plural(context: Context, value: Any, **forms: Any) -> str:
    if value is None:
        return ""
    unknown = set(forms) - set(FORMS)
    if unknown or "other" not in forms:
        raise TypeError(f"plural needs other, and knows {', '.join(FORMS)}.")
    language, number = _speech(context).language, _whole(value)
    chosen = _text(forms.get(language.locale.plural_form(number), forms["other"]))
    return _replace(chosen, "#", language.number(number))


@pass_context
def _join(context: Context, values: Any, separator: Any = "") -> str:
    _pay(context, _list(values))
    parts, between = [in_words(context, value) for value in values], _text(separator)
    _bounded(sum(map(len, parts)) + len(between) * len(parts))
    return between.join(parts)


def _replace(value: Any, old: Any, new: Any) -> str:
    before, sought, put = _text(value), _text(old), _text(new)
    if not sought:
        raise ValueError("replace needs something to look for.")
    _bounded(len(before) + before.count(sought) * len(put))
    return before.replace(sought, put)


def _default(value: Any, instead: Any = "") -> Any:
    return instead if value is None or value == "" else value


def _length(value: Any) -> int:
    return len(value) if type(value) is str else len(_list(value))


def _first(values: Any) -> Any:
    return next(iter(_list(values)), None)


def _last(values: Any) -> Any:
    return next(reversed(_list(values)), None)


def _round(value: Any) -> int:
    return _whole(value)


def _textual(change: Callable[[str], str]) -> Callable[[Any], str]:
    return lambda value: _bounded_text(change(_text(value)))


FILTERS: Final[Mapping[str, Callable[..., Any]]] = {
    "upper": _textual(str.upper), "lower": _textual(str.lower), "title": _textual(str.title),
    "trim": _textual(str.strip), "replace": _replace, "default": _default, "join": _join, "length": _length,
    "first": _first, "last": _last, "round": _round, "number": _number, "points": _number, "money": _money,
    "day": _day, "month": _month, "plural": _plural,
}  # fmt: skip
TESTS: Final[Mapping[str, Callable[..., bool]]] = {
    "none": lambda value: value is None,
    "defined": lambda value: not isinstance(value, Undefined),
}


def _speech(context: Context) -> Speech:
    speech = context[SPEECH]
    assert isinstance(speech, Speech), "every rendering has one"
    return speech


def _pay(context: Context, values: tuple[Any, ...]) -> None:
    speech = _speech(context)
    speech.turns -= len(values) + 1
    if speech.turns < 0:
        raise SecurityError("Its loops take too many turns.")


def _text(value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise TypeError("This is no text.")
    return str(value)


def _whole(value: Any) -> int:
    if type(value) is not int:
        raise TypeError("This is no whole number.")
    return value


def _date(value: Any) -> date:
    if type(value) is not date:
        raise TypeError("This is no day.")
    return value


def _list(value: Any) -> tuple[Any, ...]:
    if type(value) is not tuple:
        raise TypeError("This is no list.")
    return value


def _bounded(length: int) -> None:
    if length > TEXT_MAX:
        raise SecurityError(f"A text has at most {TEXT_MAX} characters.")


def _bounded_text(value: str) -> str:
    _bounded(len(value))
    return value
