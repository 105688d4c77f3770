"""Counters that forget: each occurrence weighs half as much a half-life later. Pure.

They are decayed forward (Cormode, Shkapenyuk, Srivastava and Xu, "Forward Decay", ICDE 2009): an occurrence is added
with the weight 2^((its instant - LANDMARK) / half-life), which never changes, and a sum is divided by the weight of the
instant at which it is read. So nothing has to be aged, occurrences may come in any order, and since weights are
decimals of fixed scale, adding one and taking it away again leaves exactly what was there.
"""

from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal
from functools import cache

# What lies before it weighs less than 1; what lies long before it, nothing.
LANDMARK = datetime(2020, 1, 1, tzinfo=UTC)
# Twelve decimals: what happened in 2010 is still counted to one part in a million with a half-life of 180 days.
SCALE = Decimal("1e-12")
DAY = timedelta(days=1)

# How long habits last, and how long it takes to fall out of them.
HABIT = timedelta(days=180)
PACE = timedelta(days=60)

# Weights change by the hour, which is a thousandth of what habits last: there are few of them to be worked out.
HOUR = timedelta(hours=1)

# What a sum begins with.
NOTHING = Decimal("0E-12")

# Enough digits for any instant up to 2200.
_EXACT = Context(prec=400, rounding=ROUND_HALF_EVEN)


def weight(at: datetime, half_life: timedelta) -> Decimal:
    """What an occurrence at an instant adds to a sum.

    >>> weight(LANDMARK + HABIT, HABIT)
    Decimal('2.000000000000')
    """
    hours, life = (at - LANDMARK) // HOUR, half_life // HOUR
    halvings, rest = divmod(hours, life)
    whole = Decimal(1 << halvings) if halvings >= 0 else _EXACT.power(Decimal(2), halvings)
    return _EXACT.quantize(_EXACT.multiply(whole, _power(rest, life)), SCALE)


def plus(total: Decimal, other: Decimal) -> Decimal:
    """A sum of weights with more of them, exact however many digits they have."""
    return _EXACT.add(total, other)


def minus(total: Decimal, other: Decimal) -> Decimal:
    """A sum of weights with less of them, exactly: `-other` alone would be rounded."""
    return _EXACT.subtract(total, other)


def times(weighed: Decimal, number: int) -> Decimal:
    """A weight so many times over, exactly."""
    return _EXACT.multiply(weighed, Decimal(number))


def as_of(total: Decimal | float, now: datetime, half_life: timedelta) -> float:
    """A sum of weights as the number of occurrences that it comes to at an instant.

    >>> as_of(weight(LANDMARK, HABIT), LANDMARK + HABIT, HABIT)
    0.5
    """
    return float(total) / float(weight(now, half_life) or SCALE)


def elapsed(since: datetime, now: datetime, half_life: timedelta) -> float:
    """The days between two instants, decayed as occurrences are: what one occurrence a day would come to."""
    days, life = max(0.0, (now - since) / DAY), half_life / DAY
    return life / _LN2 * (1 - 2 ** (-days / life))


@cache
def _power(hours: int, life: int) -> Decimal:
    """2^(hours / life), of less than one half-life."""
    few = Context(prec=40, rounding=ROUND_HALF_EVEN)
    return few.power(Decimal(2), few.divide(Decimal(hours), Decimal(life)))


_LN2 = 0.6931471805599453
