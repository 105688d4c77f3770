"""What a member holds, over HTTP: balance, history, lots, and the proof of the books."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from loyalty.db.session import transaction
from tests.api import Api
from tests.builders import NOW, order_json, reward_json
from tests.clocks import it_is

A_DAY = timedelta(days=1)
MEMBER = "/v1/members/c-42"


@pytest.fixture(autouse=True)
def today(monkeypatch: pytest.MonkeyPatch) -> None:
    it_is(monkeypatch, NOW)


@pytest.fixture
def shop(api: Api) -> Api:
    """A shop with a member whose points mature after two days and live for ten more."""
    terms = {"activation": {"mode": "delay", "days": 2}, "expiry": {"mode": "rolling", "days": 10}}
    api.patch("/v1/admin/program", {"units": {"points": terms}}, headers={"If-Match": '"1"'})
    api.enrol("c-42")
    return api


def buy(api: Api, amount: int = 3000, **given: Any) -> Any:
    line = {"line_id": "1", "sku": "A", "quantity": 1, "unit_price": amount}
    answer = api.post("/v1/orders", order_json(lines=[line], **{"placed_at": "2026-03-01T12:00:00Z", **given}))
    assert answer.status_code == 201, answer.json
    return answer


def buckets(balance: dict[str, Any]) -> tuple[int, int]:
    return balance["available"], balance["pending"]


def every_page(api: Api, path: str, limit: int) -> list[list[dict[str, Any]]]:
    pages, after = [], ""
    while True:
        answer = api.get(f"{path}?limit={limit}{after}")
        assert answer.status_code == 200, answer.json
        pages.append(answer.json["data"])
        if answer.json["next"] is None:
            return pages
        after = f"&after={answer.json['next']}"


# Balance


def test_a_new_member_holds_nothing(shop: Api):
    assert shop.balance() == {
        "unit": "points", "as_of": "2026-03-01T12:00:00Z", "available": 0, "pending": 0, "held": 0, "debt": 0,
        "lifetime_earned": 0, "lifetime_spent": 0, "maturing": [], "expiring": [],
    }  # fmt: skip


def test_a_balance_follows_the_life_of_points_with_no_job_running(shop: Api, monkeypatch: pytest.MonkeyPatch):
    buy(shop)

    seen = {}
    for hours in (0, 47, 48, 11 * 24, 13 * 24):
        it_is(monkeypatch, NOW + timedelta(hours=hours))
        seen[hours] = shop.balance()

    assert {hours: buckets(balance) for hours, balance in seen.items()} == {
        0: (0, 30),
        47: (0, 30),
        48: (30, 0),
        11 * 24: (30, 0),
        13 * 24: (0, 0),
    }
    assert seen[0]["maturing"] == [{"points": 30, "at": "2026-03-03T12:00:00Z"}]
    assert seen[48]["maturing"] == []
    assert seen[0]["expiring"] == seen[48]["expiring"] == [{"points": 30, "at": "2026-03-14T00:00:00Z"}]
    assert seen[13 * 24]["expiring"] == []


def test_points_are_usable_to_the_last_instant_of_their_last_day(shop: Api, monkeypatch: pytest.MonkeyPatch):
    buy(shop)
    gone = datetime.fromisoformat("2026-03-14T00:00:00Z")

    it_is(monkeypatch, gone - timedelta(microseconds=1))
    assert buckets(shop.balance()) == (30, 0)

    it_is(monkeypatch, gone)
    assert buckets(shop.balance()) == (0, 0)


def test_the_unit_points_may_be_named(shop: Api):
    assert shop.get(f"{MEMBER}/balance?unit=points").json == shop.balance()


def test_a_unit_that_the_program_does_not_have_is_refused(shop: Api):
    answer = shop.get(f"{MEMBER}/balance?unit=miles")

    assert (answer.status_code, answer.json["code"], answer.json["unit"]) == (422, "unit-unknown", "miles")


@pytest.mark.parametrize("of", ["balance", "entries", "lots"])
def test_a_stranger_holds_nothing_that_could_be_shown(shop: Api, of: str):
    answer = shop.get(f"/v1/members/nobody/{of}")

    assert (answer.status_code, answer.json["code"], answer.json["customer_id"]) == (404, "member-not-found", "nobody")


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("balance?colour=red", "colour"),
        ("entries?limit=0", "limit"),
        ("entries?limit=201", "limit"),
        ("lots?limit=many", "limit"),
        ("entries?after=nonsense", "after"),
        ("lots?after=WyJhIl0", "after"),  # a cursor of another list
        ("lots?after=%C5%BC", "after"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(shop: Api, query: str, pointer: str):
    answer = shop.get(f"{MEMBER}/{query}")

    assert (answer.status_code, answer.json["code"]) == (422, "invalid-request")
    assert [error["pointer"] for error in answer.json["errors"]] == [pointer]


# Entries


def test_the_history_tells_what_happened_newest_first(shop: Api, monkeypatch: pytest.MonkeyPatch):
    shop.put("/v1/admin/rewards/five-off", reward_json(points=25))
    buy(shop, order_id="A-1")
    it_is(monkeypatch, NOW + 3 * A_DAY)
    shop.post(f"{MEMBER}/redemptions", {"reward": "five-off", "redemption_id": "r-1"})

    answer = shop.get(f"{MEMBER}/entries")

    common = {"unit": "points", "order_id": None, "rule": None, "reason": None, "detail": None}
    assert answer.json == {
        "next": None,
        "data": [
            {
                **common, "seq": 3, "kind": "redeem", "points": -25, "available_after": 5, "reference": "r-1",
                "reason": "5 off", "occurred_at": "2026-03-04T12:00:00Z", "recorded_at": "2026-03-04T12:00:00Z",
            },
            {
                **common, "seq": 2, "kind": "mature", "points": 30, "available_after": 30, "reference": "1",
                "occurred_at": "2026-03-03T12:00:00Z", "recorded_at": "2026-03-04T12:00:00Z",
            },
            {
                **common, "seq": 1, "kind": "earn", "points": 30, "available_after": 0, "reference": None,
                "order_id": "A-1", "rule": {"code": "base", "version": 1}, "reason": "1 per 1.00 EUR",
                "detail": {"lines": [{"line_id": "1", "points": 30}]},
                "occurred_at": "2026-03-01T12:00:00Z", "recorded_at": "2026-03-01T12:00:00Z",
            },
        ],
    }  # fmt: skip


def test_a_write_records_what_lapsed_with_the_date_it_lapsed(shop: Api, monkeypatch: pytest.MonkeyPatch):
    buy(shop)
    it_is(monkeypatch, NOW + 30 * A_DAY)
    buy(shop, placed_at="2026-03-31T12:00:00Z")

    told = [(e["kind"], e["occurred_at"], e["recorded_at"]) for e in shop.get(f"{MEMBER}/entries").json["data"]]
    assert told == [
        ("earn", "2026-03-31T12:00:00Z", "2026-03-31T12:00:00Z"),
        ("expire", "2026-03-14T00:00:00Z", "2026-03-31T12:00:00Z"),
        ("mature", "2026-03-03T12:00:00Z", "2026-03-31T12:00:00Z"),
        ("earn", "2026-03-01T12:00:00Z", "2026-03-01T12:00:00Z"),
    ]


def test_a_history_tells_what_fell_due_before_anybody_wrote_it_down(shop: Api, monkeypatch: pytest.MonkeyPatch):
    buy(shop)
    it_is(monkeypatch, NOW + 30 * A_DAY)

    due = shop.get(f"{MEMBER}/entries").json["data"]

    assert [(entry["seq"], entry["kind"], entry["occurred_at"]) for entry in due] == [
        (3, "expire", "2026-03-14T00:00:00Z"),
        (2, "mature", "2026-03-03T12:00:00Z"),
        (1, "earn", "2026-03-01T12:00:00Z"),
    ]
    assert shop.get("/v1/ledger/verification").json["checked"]["entries"] == 1


@pytest.mark.parametrize("hours", [12.5 * 24, 30 * 24])
def test_points_of_a_late_order_may_have_lapsed_on_arrival(shop: Api, monkeypatch: pytest.MonkeyPatch, hours: float):
    it_is(monkeypatch, NOW + timedelta(hours=hours))

    answer = buy(shop)

    assert answer.json["points"] == {"awarded": 30, "pending": 0, "available": 0}
    assert answer.json["awards"][0]["expires_at"] == "2026-03-14T00:00:00Z"
    assert buckets(answer.json["balance"]) == buckets(shop.balance()) == (0, 0)
    kinds = [(e["kind"], e["occurred_at"][:10]) for e in shop.get(f"{MEMBER}/entries").json["data"]]
    assert kinds == [("expire", "2026-03-14"), ("mature", "2026-03-03"), ("earn", "2026-03-01")]


@pytest.mark.parametrize("days", [2, 5])
def test_points_of_a_late_order_may_have_matured_on_arrival(shop: Api, monkeypatch: pytest.MonkeyPatch, days: int):
    it_is(monkeypatch, NOW + days * A_DAY)

    assert buy(shop).json["points"] == {"awarded": 30, "pending": 0, "available": 30}
    assert buckets(shop.balance()) == (30, 0)


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 200])
def test_a_history_is_read_page_by_page(shop: Api, limit: int):
    for _ in range(4):
        buy(shop)

    pages = every_page(shop, f"{MEMBER}/entries", limit)

    assert [entry["seq"] for page in pages for entry in page] == [4, 3, 2, 1]
    assert all(len(page) == limit for page in pages[:-1])


def test_pages_do_not_shift_when_entries_are_added(shop: Api):
    for _ in range(3):
        buy(shop)
    first = shop.get(f"{MEMBER}/entries?limit=2").json

    buy(shop)
    second = shop.get(f"{MEMBER}/entries?limit=2&after={first['next']}").json

    assert [entry["seq"] for entry in first["data"] + second["data"]] == [3, 2, 1]


def test_a_page_has_fifty_entries_unless_asked_otherwise(shop: Api):
    for _ in range(51):
        buy(shop)

    answer = shop.get(f"{MEMBER}/entries").json

    assert len(answer["data"]) == 50
    assert answer["next"]


# Lots


def test_a_lot_tells_what_is_left_of_it_and_by_which_dates_it_lives(shop: Api, monkeypatch: pytest.MonkeyPatch):
    shop.put("/v1/admin/rewards/five-off", reward_json(points=25))
    buy(shop)
    it_is(monkeypatch, NOW + 3 * A_DAY)
    shop.post(f"{MEMBER}/redemptions", {"reward": "five-off", "redemption_id": "r-1"})
    buy(shop, placed_at="2026-03-04T12:00:00Z")

    data = shop.get(f"{MEMBER}/lots").json["data"]

    assert data[1] == {
        "lot": 1, "unit": "points", "points": 30, "remaining": 5, "held": 0, "pending": False,
        "earned_at": "2026-03-01T12:00:00Z", "matures_at": "2026-03-03T12:00:00Z", "deadline_at": None,
        "expires_at": "2026-03-14T00:00:00Z",
    }  # fmt: skip
    assert (data[0]["lot"], data[0]["remaining"], data[0]["pending"]) == (4, 30, True)


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_lots_are_read_page_by_page_newest_first(shop: Api, limit: int):
    for _ in range(3):
        buy(shop)

    assert [lot["lot"] for page in every_page(shop, f"{MEMBER}/lots", limit) for lot in page] == [3, 2, 1]


# The proof


def test_the_proof_counts_what_it_checked_in_the_program_of_the_key(shop: Api):
    buy(shop)
    buy(shop)

    answer = shop.get("/v1/ledger/verification")

    assert answer.json == {"ok": True, "checked": {"accounts": 1, "entries": 2, "lots": 2}, "findings": []}


def test_the_proof_tells_what_it_found(shop: Api):
    buy(shop)
    tamper(shop, "available + 1")

    answer = shop.get("/v1/ledger/verification")

    tamper(shop, "available - 1")
    assert (answer.status_code, answer.json["ok"]) == (200, False)
    member_id = shop.get(MEMBER).json["member_id"]
    assert answer.json["findings"][1] == {
        "check": "account-equals-lots", "detail": "The account is not the sum of its lots.", "member_id": member_id,
        "seq": 1, "unit": "points", "expected": [0, 30, 0], "found": [1, 30, 0],
    }  # fmt: skip


def tamper(api: Api, available: str) -> None:
    with api.app.app_context(), transaction() as session:
        session.run(f"UPDATE accounts SET available = {available} WHERE program_id = %s", (api.program.program_id,))
