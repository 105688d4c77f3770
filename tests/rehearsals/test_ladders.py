"""What a rehearsal of a ladder says is what then happens, and nothing is written."""

from datetime import datetime
from random import Random
from typing import Any

import pytest
from flask import Flask
from psycopg.rows import scalar_row

from loyalty.db.session import reading, transaction
from loyalty.programs.domain import Program
from loyalty.rehearsals import ladders
from loyalty.rehearsals.domain import Interrupted
from loyalty.tables import METADATA
from tests.builders import NOW, a_program
from tests.rehearsals.builders import buy, enrol, one
from tests.rehearsals.ladders import (
    DAY,
    a_crowd,
    a_ladder,
    give,
    matrix,
    matrix_of,
    move,
    publish,
    rehearsed,
    tier,
    tiers_now,
)

POLICIES = ("now", "upgrades_only", "at_validity_end")
# Reviews are due for some, and the graces of others have begun.
LATER = NOW + 200 * DAY


@pytest.fixture
def program(committed_db: Flask) -> Program:
    with transaction() as session:
        return a_program(session)


def all_rows() -> dict[str, int]:
    with reading() as session:
        return {t: session.row(f"SELECT count(*) FROM {t}", into=scalar_row) or 0 for t in METADATA.tables}


DRAFTS: tuple[dict[str, Any], ...] = (
    a_ladder(tier("bronze", 0), tier("silver", 8_000, "1.2"), tier("gold", 12_000, "3")),
    a_ladder(tier("wood", 0), tier("silver", 3_000), tier("amber", 9_000), tier("ruby", 25_000), downgrade="full"),
    a_ladder(tier("silver", 0), tier("gold", 2_000), tier("bronze", 7_000), grace={"days": 3, "round_to": "month"}),
    a_ladder(basis="orders", window={"mode": "calendar_year"}, validity={"mode": "end_of_next_period"},
             tiers=[tier("bronze", 0), tier("silver", 2), tier("gold", 4)]),
    a_ladder(basis="points_earned", window={"mode": "lifetime"}, validity={"mode": "forever"}, downgrade="none",
             tiers=[tier("bronze", 0), tier("silver", 40), tier("gold", 150)]),
    a_ladder(window={"mode": "membership_year"}, validity={"mode": "end_of_period"}),
)  # fmt: skip


@pytest.mark.parametrize("members", POLICIES)
@pytest.mark.parametrize(("seed", "now"), [(1, NOW), (2, LATER), (3, NOW + 40 * DAY)])
def test_what_a_rehearsal_says_is_what_publishing_then_does(program: Program, members: str, seed: int, now: datetime):
    random = Random(f"{seed} {members}")
    a_crowd(program, random, ladder=a_ladder(), count=36)
    draft, again = random.sample(DRAFTS, 2)
    for ladder, at in ((draft, now), (again, now + 90 * DAY)):  # who was moved is moved again
        was = tiers_now(program, at)
        told = rehearsed(program, ladder, members=members, now=at).result
        publish(program, ladder, members=members, at=at)
        assert matrix_of(told) == matrix(was, tiers_now(program, at))
        move(at)

        became = tiers_now(program, at)
        assert matrix_of(told) == matrix(was, became)
        for each in told["matrix"]:
            assert {became[name] for name in each["named"]} <= {each["to"]}
            assert {was[name] for name in each["named"]} <= {each["from"]}
        assert told["members"] == told["up"] + told["down"] + told["same"] == len(was)
        after = {tier["code"]: tier["after"] for tier in told["tiers"]}
        assert after == {code: list(became.values()).count(code) for code in after}


@pytest.mark.parametrize("members", POLICIES)
def test_the_first_ladder_finds_what_was_bought_before_there_was_one(program: Program, members: str):
    a_crowd(program, Random(7), ladder=None, count=20)
    was = tiers_now(program, NOW)
    told = rehearsed(program, a_ladder(), members=members).result

    publish(program, a_ladder(), members=members)
    move(NOW)

    assert set(was.values()) == {None}
    assert matrix_of(told) == matrix(was, tiers_now(program, NOW))
    assert len(told["matrix"]) > 1
    assert "No ladder is in force: members get their first tier." in told["notes"]


def test_a_rehearsal_writes_nothing(program: Program):
    a_crowd(program, Random(11), ladder=a_ladder(), count=12)
    before = all_rows()

    rehearsed(program, DRAFTS[1], now=LATER)

    assert all_rows() == before


@pytest.fixture
def shop(program: Program) -> Program:
    """Ann is gold, bob silver, cid nearly; dot never bought anything, eve is pinned, and fay has left."""
    publish(program, a_ladder())
    enrol(program, "ann", "bob", "cid", "dot", "eve", "fay")
    for customer_id, price in (("ann", 25_000), ("bob", 6_000), ("cid", 4_600), ("fay", 9_000)):
        buy(program, customer_id, NOW - DAY, price)
    give(program, "eve", "gold")
    one("UPDATE members SET status = 'closed' WHERE program_id = %s AND customer_id = 'fay' RETURNING 1",
        program.program_id)  # fmt: skip
    return program


def test_it_says_who_goes_where_and_who_is_near(shop: Program):
    draft = a_ladder(tier("bronze", 0), tier("silver", 4_000), tier("gold", 5_500), tier("black", 26_000))

    outcome = rehearsed(shop, draft)

    result = outcome.result
    assert (outcome.done, result["members"], result["basis"], result["currency"]) == (4, 5, "spend", "EUR")
    assert result["matrix"] == [
        {"from": "bronze", "to": "bronze", "members": 1, "named": []},
        {"from": "bronze", "to": "silver", "members": 1, "named": ["cid"]},
        {"from": "silver", "to": "gold", "members": 1, "named": ["bob"]},
        {"from": "gold", "to": "gold", "members": 2, "named": ["ann", "eve"]},
    ]
    assert (result["up"], result["down"], result["same"]) == (2, 0, 3)
    assert [(m["customer_id"], m["from"], m["to"], m["value"]) for m in result["winners"]] == [
        ("bob", "silver", "gold", 6_000), ("cid", "bronze", "silver", 4_600),
    ]  # fmt: skip
    assert result["winners"][0]["valid_until"].isoformat() == "2026-08-29T00:00:00+00:00"
    assert result["near"] == [
        {"code": "silver", "threshold": 4_000, "members": 0},
        {"code": "gold", "threshold": 5_500, "members": 0},
        {"code": "black", "threshold": 26_000, "members": 1},
    ]
    assert [(t["code"], t["before"], t["after"]) for t in result["tiers"]] == [
        ("bronze", 2, 1), ("silver", 1, 1), ("gold", 2, 3), ("black", 0, 0),
    ]  # fmt: skip


def test_it_estimates_what_other_multipliers_would_have_cost(shop: Program):
    draft = a_ladder(tier("bronze", 0), tier("silver", 5_000, "3"), tier("gold", 20_000, "2"))

    cost = rehearsed(shop, draft).result["cost"]

    # Bob was given 60 when he was bronze still; nobody else has another multiplier.
    assert cost == {"days": 90, "members": 1, "given": 60, "draft": 120, "difference": 60, "amount": 60}


def test_tiers_that_go_and_ladders_that_never_come_are_named(shop: Program):
    publish(shop, a_ladder(), at=NOW + 30 * DAY)

    result = rehearsed(shop, a_ladder(tier("wood", 0), tier("steel", 4_500)), members="upgrades_only").result

    assert [t["code"] for t in result["tiers"]] == ["bronze", "silver", "gold", "wood", "steel"]
    assert any("count as its lowest: bronze, silver, gold." in note for note in result["notes"])
    assert "Version 2, which is to come into force on 2026-03-31, would not: this one is newer." in result["notes"]


def test_it_is_read_page_by_page_and_says_how_far_it_is(shop: Program, monkeypatch: pytest.MonkeyPatch):
    whole = rehearsed(shop, DRAFTS[0]).result
    monkeypatch.setattr(ladders, "PAGE", 2)
    told: list[tuple[int, int]] = []

    def listen(done: int, total: int) -> bool:
        told.append((done, total))
        return True

    assert rehearsed(shop, DRAFTS[0], told=listen).result == whole
    assert told == [(0, 4), (2, 4), (4, 4)]
    with pytest.raises(Interrupted):
        rehearsed(shop, DRAFTS[0], told=lambda done, _total: done < 2)


def test_a_ladder_that_is_published_meanwhile_lets_it_begin_again(shop: Program, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ladders, "PAGE", 2)
    told: list[int] = []

    def meanwhile(done: int, _total: int) -> bool:
        told.append(done)
        if len(told) == 2:
            publish(shop, DRAFTS[2], at=NOW - DAY)
        return True

    result = rehearsed(shop, a_ladder(), told=meanwhile).result

    assert told == [0, 2, 0, 2, 4]
    assert result == rehearsed(shop, a_ladder()).result
    assert {each["from"] for each in result["matrix"]} <= {"silver", "gold", "bronze"}
