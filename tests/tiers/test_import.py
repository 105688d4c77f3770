"""Tiers that members bring along from another program."""

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from psycopg.rows import scalar_row

from loyalty.db import migrate
from loyalty.db.session import transaction
from tests import shop
from tests.api import Api
from tests.builders import NOW
from tests.clocks import it_is
from tests.ladders import bring, evaluations, publish, recorded, standing, tier
from tests.shop import at, in_days, merge, refused
from tests.statements import statements


@pytest.fixture(autouse=True)
def frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    it_is(monkeypatch, NOW)


@pytest.fixture
def club(api: Api) -> Api:
    """A shop with a ladder, and a member."""
    publish(api)
    api.enrol()
    return api


def test_a_tier_counts_as_if_it_had_been_reached_here(club: Api):
    (told,) = bring(club, ("c-42", "gold", in_days(-100), None))

    assert told == {"customer_id": "c-42", "outcome": "imported", "tier": {"code": "gold", "name": "Gold"}}
    found = standing(club)
    assert (found["tier"], found["tier_since"]) == ("gold", NOW - timedelta(days=100))
    # A year from the day on which it was reached there.
    assert found["next_change_at"].date().isoformat() == "2026-11-22"
    assert shop.buy(club, "A-1").json["points"]["awarded"] == 200


def test_it_is_valid_until_it_says_and_then_ends_as_the_ladder_says(club: Api, monkeypatch: pytest.MonkeyPatch):
    bring(club, ("c-42", "gold", in_days(-100), in_days(10)))

    it_is(monkeypatch, NOW + timedelta(days=10, hours=11))
    assert tier(club) == "gold", "validity is a matter of days: this one has begun"
    it_is(monkeypatch, NOW + timedelta(days=10, hours=12))
    assert tier(club) == "bronze"


def test_one_that_was_valid_only_on_one_day_ends_with_it(club: Api, monkeypatch: pytest.MonkeyPatch):
    told = bring(club, ("c-42", "gold", at(NOW - timedelta(hours=2)), at(NOW - timedelta(hours=1))))
    assert told[0]["tier"]["code"] == "gold"

    it_is(monkeypatch, NOW + timedelta(days=1))

    assert tier(club) == "bronze"


def test_what_was_bought_here_since_keeps_it(club: Api, monkeypatch: pytest.MonkeyPatch):
    shop.buy(club, "A-1", amount=20_000)
    bring(club, ("c-42", "gold", in_days(-100), in_days(10)))

    it_is(monkeypatch, NOW + timedelta(days=20))

    assert tier(club) == "gold"


def test_one_lower_than_what_was_reached_here_takes_nothing_away(club: Api):
    shop.buy(club, "A-1", amount=20_000)

    (told,) = bring(club, ("c-42", "silver", in_days(-100), None))

    assert told["tier"]["code"] == "gold"


def test_under_a_ladder_that_began_later_it_is_held_since_it_was_reached_there(api: Api):
    publish(api, effective_from=NOW - timedelta(days=1))
    api.enrol()

    bring(api, ("c-42", "gold", in_days(-100), None))

    assert (standing(api)["tier"], standing(api)["tier_since"]) == ("gold", NOW - timedelta(days=100))


def test_the_very_same_again_changes_nothing(club: Api):
    bring(club, ("c-42", "gold", in_days(-100), in_days(10)))
    before = [recorded(club, table) for table in ("tier_standings", "tier_grants", "tier_evaluations", "tier_periods")]

    (told,) = bring(club, ("c-42", "gold", in_days(-100), in_days(10)))

    assert (told["outcome"], told["tier"]["code"]) == ("unchanged", "gold")
    tables = ("tier_standings", "tier_grants", "tier_evaluations", "tier_periods")
    assert [recorded(club, table) for table in tables] == before


def test_another_one_replaces_the_former(club: Api):
    bring(club, ("c-42", "gold", in_days(-100), None))

    (told,) = bring(club, ("c-42", "silver", in_days(-50), None))

    assert (told["outcome"], told["tier"]["code"]) == ("imported", "silver")
    assert [(g["tier"], g["since"]) for g in recorded(club, "tier_grants")] == [("silver", NOW - timedelta(days=50))]
    assert [(e["cause"], e["old"], e["new"]) for e in evaluations(club)[-1:]] == [("imported", "gold", "silver")]
    assert all(p["void"] for p in recorded(club, "tier_periods") if p["tier"] == "gold")


def test_each_member_has_an_outcome_of_its_own(club: Api):
    for customer_id in ("c-43", "c-44"):
        club.enrol(customer_id)
    club.post("/v1/members/c-44/close")

    told = bring(
        club,
        ("c-43", "silver", in_days(-1), None),
        ("nobody", "silver", in_days(-1), None),
        ("c-44", "silver", in_days(-1), None),
        ("c-42", "platinum", in_days(-1), None),
        ("c-43", "gold", in_days(-1), None),
        ("c-42", "gold", in_days(1), None),
        ("c-42", "gold", in_days(-1), in_days(-1)),
    )

    assert [(each["outcome"], each.get("code")) for each in told] == [
        ("imported", None),
        ("refused", "member-not-found"),
        ("refused", "member-closed"),
        ("refused", "tier-unknown"),
        ("refused", "invalid-request"),
        ("refused", "invalid-request"),
        ("refused", "invalid-request"),
    ]
    assert (tier(club, "c-43"), tier(club)) == ("silver", "bronze")
    record = club.get("/v1/admin/audit").json["data"][0]
    assert (record["action"], record["resource"]) == ("ladder.members-imported", "ladder/members")
    assert record["after"] == {"imported": 1, "unchanged": 0, "refused": 6}


def test_a_call_names_1_to_500_members_and_needs_a_ladder(api: Api):
    one = {"customer_id": "c-42", "tier": "gold", "since": in_days(-1)}
    assert refused(api.post("/v1/admin/ladder/members", {"members": [one]})) == (404, "ladder-not-found")
    publish(api)

    assert shop.pointers(api.post("/v1/admin/ladder/members", {"members": []})) == ["/members"]
    assert shop.pointers(api.post("/v1/admin/ladder/members", {"members": [one] * 501})) == ["/members"]


def test_500_members_take_as_many_statements_as_one(club: Api):
    customers = [f"m-{number}" for number in range(40)]
    for customer in customers:
        club.enrol(customer)
    bring(club, ("c-42", "gold", in_days(-100), None))

    with statements() as sent:
        told = bring(club, *((customer, "gold", in_days(-100), None) for customer in customers))

    assert {each["outcome"] for each in told} == {"imported"}
    # Lock, read, write, audit.
    assert len(sent) <= 4, sent
    assert {tier(club, customer) for customer in customers} == {"gold"}


def test_a_merge_takes_it_along_also_when_its_validity_is_over_and_it_was_kept(
    club: Api, monkeypatch: pytest.MonkeyPatch
):
    club.enrol("c-43")
    shop.buy(club, "B-1", customer_id="c-43", amount=20_000)
    bring(club, ("c-43", "gold", in_days(-100), in_days(10)))
    it_is(monkeypatch, NOW + timedelta(days=20))
    shop.cancel(club, "B-1")
    before = tier(club, "c-43")

    assert merge(club, "c-43", "c-42").json["tier"]["code"] == before
    assert [g["kind"] for g in recorded(club, "tier_grants")] == ["imported"]


def import_(database_url: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """The command, on the database of this worker."""
    return subprocess.run(
        [sys.executable, "-m", "loyalty.cli", "tiers", "import", *map(str, arguments)],
        env={**os.environ, "DATABASE_URL": database_url}, cwd=migrate.ROOT, text=True, capture_output=True, check=False,
    )  # fmt: skip


def test_the_command_reads_a_file_and_tells_of_every_line_that_is_refused(club: Api, database_url: str, tmp_path: Path):
    file = tmp_path / "tiers.csv"
    file.write_text(
        "customer_id,tier,since,valid_until\n"
        "c-42,gold,2025-12-01T00:00:00Z,\n"
        "nobody,gold,2025-12-01T00:00:00Z,\n"
        "c-42,gold,yesterday,\n"
        "c-42,gold\n"
    )

    done = import_(database_url, "--program", club.program.code, file)

    assert (done.returncode, done.stdout) == (1, "1 imported, 0 unchanged, 3 refused\n"), done.stderr
    assert [line.partition(":")[0] for line in done.stderr.splitlines()] == ["line 3", "line 4", "line 5"]
    with club.app.app_context(), transaction() as session:
        by = session.row("SELECT granted_by FROM tier_grants g JOIN members USING (member_id) WHERE program_id = %s",
                         (club.program.program_id,), into=scalar_row)  # fmt: skip
    assert by == "command line"

    file.write_text("customer_id,tier,since,valid_until\nc-42,gold,2025-12-01T00:00:00Z,\n")
    again = import_(database_url, "--program", club.program.code, file)
    assert (again.returncode, again.stdout, again.stderr) == (0, "0 imported, 1 unchanged, 0 refused\n", "")


def test_the_command_refuses_a_file_without_the_columns(club: Api, database_url: str, tmp_path: Path):
    file = tmp_path / "tiers.csv"
    file.write_text("customer,tier\nc-42,gold\n")

    done = import_(database_url, "--program", club.program.code, file)

    assert done.returncode == 1
    assert "does not begin with the line customer_id,tier,since,valid_until" in done.stderr
