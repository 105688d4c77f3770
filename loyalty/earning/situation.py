"""An occasion, or a member at a moment, as conditions see it: worked out once, and only as far as one of them asks."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from functools import cached_property, partial
from operator import attrgetter
from typing import Any

from loyalty.core import calendar
from loyalty.core.categories import lineage
from loyalty.earning.basis import basis_of
from loyalty.earning.domain import Activity, Facts, Line, Moment, Occasion, Purchase
from loyalty.earning.rules import Asks
from loyalty.features import summary
from loyalty.programs.domain import Program
from loyalty.rules.expressions import Environment, Unanswerable
from loyalty.rules.history import Purchases

# The fields of a variable, each worked out if it is named.
Fields = Mapping[str, Callable[[], Any]]

_LINE_ID = attrgetter("line_id")


class Situation:
    """An order or an activity, who it is of, and the rules and settings that judge it.

    Lines stand in the order of their ids, so that the order in which they were sent changes nothing.
    """

    def __init__(self, occasion: Occasion | Moment, asks: Asks, program: Program, facts: Facts) -> None:
        self.occasion, self.asks, self.program, self.facts = occasion, asks, program, facts
        self.purchase = occasion if isinstance(occasion, Purchase) else None
        self.lines: tuple[Line, ...] = ()
        self.bases: list[int] = []
        if self.purchase is not None:
            self.lines = tuple(sorted(self.purchase.lines, key=_LINE_ID))
            self.bases = basis_of(self.purchase, self.lines, program.earn)
        self._segments: dict[str, bool] = {}

    @property
    def at(self) -> datetime:
        """The instant for which it is judged."""
        return self.occasion.at

    @cached_property
    def lineages(self) -> list[tuple[str, ...]]:
        """The categories of each line, the widest first."""
        return [lineage(line.category) for line in self.lines]

    @cached_property
    def skus(self) -> set[str]:
        """The SKUs of all lines."""
        return {line.sku for line in self.lines}

    @cached_property
    def paths(self) -> set[str]:
        """The categories of all lines, with all above them."""
        return {path for paths in self.lineages for path in paths}

    @cached_property
    def paid(self) -> list[bool]:
        """Which lines earn anything at all."""
        return [basis > 0 for basis in self.bases]

    @cached_property
    def basis(self) -> int:
        """What all lines earn on, in minor units."""
        return sum(self.bases)

    @property
    def order_number(self) -> int:
        """Which of the member's orders this is: 1 for the first."""
        return self.facts.history.total.sums.orders + 1

    @cached_property
    def local(self) -> datetime:
        """The same instant on the clocks of the program's zone."""
        return self.at.astimezone(calendar.zone(self.program.time_zone))

    @cached_property
    def days_to_birthday(self) -> int | None:
        """Days until the member's birthday, 0 on the day; None where it is not known."""
        born, today = self.facts.birth_date, self.local.date()
        if born is None:
            return None
        this_year = birthday_in(born, today.year)
        coming = this_year if this_year >= today else birthday_in(born, today.year + 1)
        return (coming - today).days

    @cached_property
    def days_since_birthday(self) -> int | None:
        """Days since the member's birthday, 0 on the day; None where it is not known."""
        born, today = self.facts.birth_date, self.local.date()
        if born is None:
            return None
        this_year = birthday_in(born, today.year)
        last = this_year if this_year <= today else birthday_in(born, today.year - 1)
        return (today - last).days

    def is_in_segment(self, code: str) -> bool:
        """Whether the member is in a segment. Raises Unanswerable."""
        if code not in self._segments:
            self._segments[code] = self.asks.segment_conditions[code].holds(self.environment)
        return self._segments[code]

    def belongs(self, codes: Iterable[str]) -> bool:
        """Whether the member is in any of some segments; in none that is not there, or that cannot be answered."""
        return any(self._is_known_in(code) for code in codes)

    def _is_known_in(self, code: str) -> bool:
        try:
            return code in self.asks.segment_conditions and self.is_in_segment(code)
        except Unanswerable:
            return False

    @cached_property
    def environment(self) -> Environment:
        """What conditions see (`loyalty.rules.vocabulary` says what each value means), as far as they name it.

        Handing a value over to them costs more than asking most of them.
        """
        purchase, occasion, named = self.purchase, self.occasion, self.asks.needs.named
        seen: dict[str, Callable[[], Fields]] = {
            "member": self._member, "history": self._history, "features": self._features, "local": self._local,
        }  # fmt: skip
        if purchase is not None:
            seen["order"] = lambda: self._order(purchase)
        elif isinstance(occasion, Activity):
            seen["activity"] = lambda: {"type": lambda: occasion.type, "properties": lambda: occasion.properties}
        variables: dict[str, Any] = {"now": self.at}
        for root, make in seen.items():
            if root in named:
                fields, names = make(), named[root]
                wanted = fields if names is None else names
                variables[root] = {name: fields[name]() for name in wanted if name in fields}
        return Environment(variables, self._lines() if self.asks.needs.lines else [])

    def _local(self) -> Fields:
        local = self.local
        return {
            "hour": lambda: local.hour, "minute": lambda: local.minute, "weekday": local.isoweekday,
            "day": lambda: local.day, "month": lambda: local.month, "year": lambda: local.year,
            "date": lambda: local.date().isoformat(),
        }  # fmt: skip

    def _member(self) -> Fields:
        facts, enrolled_at = self.facts, self.facts.enrolled_at or self.at
        return {
            "tier": lambda: facts.tier,
            "locale": lambda: facts.locale,
            "enrolled_at": lambda: enrolled_at,
            "days_enrolled": lambda: self._days_since(enrolled_at),
            "age": lambda: None if facts.birth_date is None else age_on(facts.birth_date, self.local.date()),
            "days_to_birthday": lambda: self.days_to_birthday,
            "referred": lambda: facts.referred,
            "attributes": lambda: facts.attributes,
        }

    def _history(self) -> Fields:
        total = self.facts.history.total
        return {
            "orders": lambda: total.sums.orders,
            "spend": lambda: total.sums.spend,
            "days_since_last_order": lambda: self._days_since(total.last_at),
            "categories": self._categories,
        }

    def _features(self) -> Fields:
        habits = self.facts.habits
        now = summary.moment(habits.buying, self.at)
        return {name: partial(figure, habits, now) for name, figure in summary.FIGURES.items()}

    def _categories(self) -> dict[str, Any]:
        named = dict.fromkeys(self.asks.needs.categories, Purchases())
        return {
            path: {
                "orders": bought.sums.orders,
                "quantity": bought.sums.quantity,
                "spend": bought.sums.spend,
                "days_since_last_order": self._days_since(bought.last_at),
            }
            for path, bought in {**named, **self.facts.history.categories}.items()
        }

    def _days_since(self, instant: datetime | None) -> int | None:
        """Days of the calendar in the program's zone; 0 for what is told late and lies ahead."""
        if instant is None:
            return None
        return max(0, (self.local.date() - instant.astimezone(self.local.tzinfo).date()).days)

    def _order(self, order: Purchase) -> Fields:
        return {
            "basis": lambda: self.basis,
            "total": lambda: sum(line.net for line in order.lines) + order.shipping - order.discount,
            "shipping": lambda: order.shipping,
            "discount": lambda: order.discount,
            "points_paid": lambda: order.points_paid,
            "quantity": lambda: sum(line.quantity for line in order.lines),
            "channel": lambda: order.channel,
            "categories": lambda: sorted(self.paths),
            "skus": lambda: sorted(self.skus),
            "metadata": lambda: order.metadata,
            "lines": self._lines,
        }

    def _lines(self) -> list[Mapping[str, Any]]:
        return [
            {
                "line_id": line.line_id, "sku": line.sku, "category": line.category, "quantity": line.quantity,
                "unit_price": line.unit_price, "discount": line.discount, "tax": line.tax, "basis": basis,
            }
            for line, basis in zip(self.lines, self.bases, strict=True)
        ]  # fmt: skip


def birthday_in(born: date, year: int) -> date:
    """The birthday of a year; of somebody born on 29 February it is the 28th where there is none."""
    return calendar.add_months(born, 12 * (year - born.year))


def age_on(born: date, day: date) -> int:
    """Whole years since the birth."""
    return day.year - born.year - (birthday_in(born, day.year) > day)
