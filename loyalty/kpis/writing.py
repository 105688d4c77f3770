"""Numbers, days and names of reports, as people read them. Pure, but for the words of a language."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from babel.dates import format_date
from babel.numbers import format_decimal, format_percent

from loyalty.core.i18n import language
from loyalty.core.money import exponent_of
from loyalty.kpis.domain import Kind

# What a report says stands in its definitions, which are English.
_LANGUAGE = language("en")

NOTHING = "\N{EN DASH}"
NUMBERS: frozenset[Kind] = frozenset({"count", "share", "number", "money", "points", "days"})


def cell(value: Any, kind: Kind, currency: str) -> str:
    """A value of a report; nothing is a dash."""
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, date):
        return day(value)
    return _number(value, kind, currency) if isinstance(value, int | float) else str(value)


def _number(value: float, kind: Kind, currency: str) -> str:
    if kind == "money":
        return _LANGUAGE.money(round(value), currency)
    if kind == "share":
        return str(format_percent(value, format="#,##0.0##%", locale=_LANGUAGE.locale))
    pattern = "#,##0.00" if kind in ("number", "days") else "#,##0"
    return str(format_decimal(value, format=pattern, locale=_LANGUAGE.locale))


def change(share: float | None) -> str:
    """By what share something grew: `+3.2%`."""
    if share is None:
        return NOTHING
    return str(format_percent(share, format="+#,##0.0%;-#,##0.0%", locale=_LANGUAGE.locale))


def day(value: date) -> str:
    """`1 Mar 2026`."""
    return str(format_date(value, format="d MMM y", locale=_LANGUAGE.locale))


def instant(value: datetime) -> str:
    """An instant to the minute, with how far its clock is from UTC."""
    return f"{day(value.date())}, {value:%H:%M} {value:%Z}"


def heading(name: str) -> str:
    """The name of a column as a heading: `active_share` is `Active share`."""
    words = name.replace("_", " ")
    return words[:1].upper() + words[1:]


def scaled(value: float, kind: Kind, currency: str) -> float:
    """A value in what an axis shows: money in major units, a share in percent."""
    if kind == "money":
        return float(Decimal(str(value)).scaleb(-exponent_of(currency)))
    return value * 100 if kind == "share" else value


def unit(kind: Kind, currency: str) -> str:
    """What an axis is in, if that needs to be said."""
    return {"money": currency, "share": "%", "points": "points", "days": "days"}.get(kind, "")


def tick(value: float, step: float) -> str:
    """A number at an axis, with as many decimals as its neighbours need."""
    decimals = max(0, -Decimal(str(step)).normalize().as_tuple().exponent) if step % 1 else 0  # type: ignore[operator]
    return str(
        format_decimal(value, format=f"#,##0.{'0' * decimals}" if decimals else "#,##0", locale=_LANGUAGE.locale)
    )
