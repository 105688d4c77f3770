"""Whatever a shop does, and wherever the log is cut: what was counted bit by bit is what all of it says at once."""

from datetime import date
from random import Random
from typing import Any

import pytest
from psycopg.rows import tuple_row
from pyroaring import BitMap

from loyalty.db.session import reading, transaction
from loyalty.rollups import building
from loyalty.rollups.comparing import differences
from loyalty.rollups.domain import starts_of
from loyalty.rollups.reading import member_ids
from tests.api import Api
from tests.rollups.counted import asking, counted, kept
from tests.rollups.life import Life

_VIEW = """
SELECT measure, unit, dimension, key, day, sum(amount)::bigint FROM kpi_facts WHERE program_id = %s
GROUP BY measure, unit, dimension, key, day HAVING sum(amount) <> 0
"""
# Who is in a set, by the measures that say so.
_WHO = """
SELECT name, dimension, key, day, array_agg(DISTINCT member_id) FROM kpi_facts JOIN (VALUES
    ('enrolled', 'enrolled', true), ('left', 'left', true), ('buyers', 'orders', true), ('earners', 'awards', true),
    ('active', 'awards', true), ('active', 'points.redeem', true), ('redeemers', 'points.redeem', true),
    ('offers.assigned', 'offers.assigned', true), ('offers.redeemed', 'offers.redeemed', true)) AS s (name, measure, of)
USING (measure)
WHERE program_id = %s AND (dimension, name) NOT IN (('rule', 'active'), ('reward', 'active'),
    ('channel', 'redeemers')) AND dimension <> 'cohort'
GROUP BY name, dimension, key, day
"""


@pytest.fixture(params=range(3))
def life(api: Api, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Life:
    found = Life(api, monkeypatch, Random(request.param))
    found.acts(70)
    return found


def rebuilt(api: Api, chance: Random) -> int:
    """Count all anew in pages by chance; answers the generation."""
    with api.app.app_context():
        with transaction() as session:
            state = building.begin(session, api.program.program_id, check=True)
        assert state is not None
        done = False
        while not done:
            with transaction() as session:
                done = building.build(session, state, limit=chance.choice([1, 7, 50, 1_000])).done
        return state.generation


def from_tables(api: Api) -> dict[Any, int]:
    with api.app.app_context(), reading() as session:
        return {row[:5]: row[5] for row in session.rows(_VIEW, (api.program.program_id,), into=tuple_row)}


def test_bit_by_bit_is_all_at_once_is_what_the_tables_say_and_what_reports_were_told_before(life: Life):
    api, always = life.api, (date(2020, 1, 1), date(2030, 1, 1))
    before = all_that_is_said(api, *always)

    counted(api, limit=11)

    rows = kept(api)
    assert all_that_is_said(api, *always) == before
    generation = rebuilt(api, life.chance)
    assert kept(api, generation) == rows
    with api.app.app_context(), transaction() as session:
        assert differences(session, api.program.program_id, 1, generation) == 0

    sums = {at: amount for at, amount in rows["sums"].items() if at[2] not in ("tier", "segment")}
    told = from_tables(api)
    assert {at for at in sums.keys() | told.keys() if sums.get(at) != told.get(at)} == set()
    assert_sets_are_who_did_it(api, rows["sets"])
    assert_cohorts_add_up(rows["sums"])
    assert {at[0] for at in sums} >= {"orders", "returned", "points.earn", "points.redeem", "held", "moves"}
    assert {at[2] for at in rows["sums"]} >= {"tier", "segment", "reward", "cohort", "offer"}


def all_that_is_said(api: Api, first: date, last: date) -> list[Any]:
    """Every sum and every set, as reports are told."""
    with asking(api) as rollups:
        dimensions = ("all", "tier", "segment", "channel", "category", "reward", "offer", "cohort", "move")
        names = ("orders", "sales", "returned", "points.*", "debt.*", "pending", "held", "offers.*", "moves", "left")
        said: list[Any] = [
            rollups.totals(names, unit=unit, dimension=dimension, first=first, last=last)
            for dimension in dimensions for unit in ("", "points")
        ]  # fmt: skip
        for name in ("buyers", "repeaters", "redeemers", "active"):
            said += [rollups.sizes(name, span=span, first=first, last=last) for span in ("day", "week", "month")]
            said.append(rollups.sizes(name, dimension="tier", key="gold", span="month", first=first, last=last))
            said.append(len(rollups.members(name, first=date(2026, 2, 11), last=last)))
        return said


def assert_sets_are_who_did_it(api: Api, sets: dict[Any, Any]) -> None:
    """Sets are the distinct members of the view; those of weeks and months, of all their days."""
    expected: dict[Any, set[Any]] = {}
    with api.app.app_context(), reading() as session:
        for name, dimension, key, day, members in session.rows(_WHO, (api.program.program_id,), into=tuple_row):
            for span, starts in starts_of(day):
                expected.setdefault((name, dimension, key, span, starts), set()).update(members)
        numbers = BitMap().union(*(BitMap(members) for _, members in sets.values()))
        ids = member_ids(session, api.program.program_id, numbers)
    found = {
        at: {ids[number] for number in members}
        for at, (_, members) in sets.items()
        if at[0] != "repeaters" and at[1] not in ("tier", "segment")
    }
    assert found == expected
    assert all(size == len(members) for size, members in sets.values())


def assert_cohorts_add_up(sums: dict[Any, int]) -> None:
    """What all cohorts changed by is what points changed by, of each kind and day."""
    totals: dict[Any, int] = {}
    for (measure, unit, dimension, _, day), amount in sums.items():
        if measure.startswith("points.") and dimension in ("all", "cohort"):
            signed = amount if dimension == "all" else -amount
            totals[measure, unit, day] = totals.get((measure, unit, day), 0) + signed
    assert totals
    assert set(totals.values()) == {0}
