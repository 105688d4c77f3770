"""What is kept answers as what is counted in memory does, whatever of it is not counted yet."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise
from random import Random

import pytest
from pyroaring import BitMap

from loyalty.db.session import reading, transaction
from loyalty.rollups import keeping
from loyalty.rollups.cells import Counting
from loyalty.rollups.deltas import Counted, Deltas
from loyalty.rollups.domain import Dimension, Place, Rollups, starts_of
from loyalty.rollups.reading import Kept
from tests.api import Api
from tests.builders import NOW

FIRST = date(2026, 1, 20)
DAYS = [FIRST + timedelta(days=number) for number in range(80)]
EDGES = [None, date(2026, 1, 28), date(2026, 2, 1), date(2026, 3, 18), date(2026, 4, 9)]
CUTS = (date(2026, 2, 1), date(2026, 2, 14), date(2026, 3, 9))
BY: tuple[tuple[Dimension, str], ...] = (("all", ""), ("channel", "store"), ("channel", "online"))


@dataclass
class Drawn(Counting):
    """What was drawn, in the place of what was counted."""

    drawn: Deltas = field(default_factory=Deltas)

    def deltas(self) -> Deltas:
        """What it adds."""
        return self.drawn


def draw(into: list[Deltas], chance: Random, days: list[date]) -> None:
    """Let something happen on some days."""
    for day in days:
        for dimension, key in BY:
            for measure, unit in (("orders", ""), ("points.earn", "points"), ("points.redeem", "points")):
                amount = chance.randint(-2, 5)
                for each in into:
                    each.sums[Place(measure, unit, dimension, key, day)] += amount
            buyers, again = (BitMap(chance.sample(range(30), count)) for count in (3, 1))
            for each in into:
                each.join("buyers", (dimension, key), day, buyers | again, again)


@pytest.fixture
def both(api: Api) -> Iterator[tuple[Rollups, Rollups]]:
    """Days that are kept, but for what happened on some of them of late; and the same in memory."""
    chance, early, late, everything = Random(9), Deltas(), Deltas(), Deltas()
    draw([early, everything], chance, DAYS[::2])
    draw([late, everything], chance, DAYS[-20::3])
    with api.app.app_context():
        with transaction() as session:
            state = keeping.begin(session, keeping.first_state(session, api.program.program_id))
            keeping.keep(session, state, Drawn("UTC", drawn=early))
        with reading() as session:
            yield Kept(session, state, Counted(late, NOW), NOW), Counted(everything, NOW)


@pytest.mark.parametrize("first", EDGES)
@pytest.mark.parametrize("last", EDGES[1:])
def test_sums(both, first, last):
    kept, memory = both

    for cuts in (None, (), CUTS):
        for key in (None, "store", "nobody"):
            where = {"dimension": "channel", "key": key, "first": first, "last": last, "cuts": cuts}
            for names, unit in ((("orders", "orders", "units"), ""), (("points.*",), "points")):
                assert kept.keyed(names, unit=unit, **where) == memory.keyed(names, unit=unit, **where), (cuts, key)
    where = {"dimension": "channel", "first": first, "last": last}
    points = {"unit": "points", **where}
    assert kept.totals(("points.*",), **points) == memory.totals(("points.*",), **points)
    assert kept.sums("orders", first=first, last=last) == memory.sums("orders", first=first, last=last)


def test_days_of_a_month_that_no_cut_separates_are_one_sum(both):
    kept, _ = both
    by_day = kept.sums("orders", first=None, last=DAYS[-1])

    by_piece = kept.keyed(("orders",), first=None, last=DAYS[-1], cuts=CUTS)["orders", ""]

    starts = [date(2026, 1, 1), CUTS[0], CUTS[1], date(2026, 3, 1), CUTS[2], date(2026, 4, 1), DAYS[-1]]
    for begins, ends in pairwise(starts):
        assert by_piece.get(begins, 0) == sum(amount for day, amount in by_day.items() if begins <= day < ends)
    assert by_piece.keys() <= set(starts)


@pytest.mark.parametrize("first", EDGES)
@pytest.mark.parametrize("last", EDGES[1:])
def test_sets(both, first, last):
    kept, memory = both

    for name in ("buyers", "repeaters"):
        for dimension, key in BY:
            where = {"dimension": dimension, "key": key, "first": first, "last": last}
            assert kept.members(name, **where) == memory.members(name, **where)
            for span in ("day", "week", "month"):
                assert kept.sets(name, span=span, **where) == memory.sets(name, span=span, **where)
                assert kept.sizes(name, span=span, **where) == memory.sizes(name, span=span, **where)
        where = {"dimension": "channel", "first": first, "last": last}
        assert kept.each(name, **where) == memory.each(name, **where)


def test_the_very_spans_that_are_asked_for(both):
    kept, memory = both
    spans = {span for day in DAYS[30:] for span in starts_of(day)}
    names = ("buyers", "repeaters", "redeemers")

    found = kept.spans(names, dimension="channel", key="store", spans=spans)

    assert found == memory.spans(names, dimension="channel", key="store", spans=spans)
    assert {name for name, _, _ in found} == {"buyers", "repeaters"}
    assert kept.spans(names, spans=()) == {}
