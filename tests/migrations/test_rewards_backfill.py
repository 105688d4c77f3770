"""Rewards and redemptions of before can be edited, cancelled and read after the migration, and back again."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import alembic.command
import psycopg
import pytest
import sqlalchemy
from psycopg.rows import dict_row

from loyalty.core.ids import new_id
from loyalty.db import migrate
from loyalty.rewards.domain import VoucherTerms
from loyalty.rewards.storing import new_reward_from

BEFORE, AFTER = "0017", "0018"
BEGUN = datetime(2026, 1, 1, 9, 30, tzinfo=UTC)
PROGRAM, MEMBER = new_id(), new_id()


@pytest.fixture
def old(database_url: str) -> Iterator[str]:
    """A database of its own, at the schema before."""
    name = f"backfill_{uuid4().hex}"
    with psycopg.connect(database_url, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        url = sqlalchemy.make_url(database_url).set(database=name, drivername="postgresql+psycopg")
        rendered = url.render_as_string(hide_password=False)
        alembic.command.upgrade(migrate.config(rendered), BEFORE)
        yield rendered
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


def ask(url: str, statement: str, *parameters: Any) -> list[dict[str, Any]]:
    plain = url.replace("postgresql+psycopg", "postgresql")
    with psycopg.connect(plain, row_factory=dict_row, autocommit=True) as connection:
        answered = connection.execute(statement, parameters)
        return answered.fetchall() if answered.description else []


def insert(url: str, table: str, **row: Any) -> None:
    places = ", ".join(["%s"] * len(row))
    ask(url, f"INSERT INTO {table} ({', '.join(row)}) VALUES ({places})", *row.values())


def a_reward(url: str, code: str, stock: int | None, valid_from: datetime | None) -> None:
    insert(
        url, "rewards", program_id=PROGRAM, code=code, version=3, name="5 off", type="discount_amount", points=100,
        value='{"amount": 500}', limited=stock is not None, stock=stock, valid_from=valid_from, valid_to=None,
        fulfilment="code", updated_at=BEGUN,
    )  # fmt: skip


def a_redemption(url: str, redemption_id: str, seq: int, *, reward: str, voucher: str | None) -> None:
    insert(
        url, "redemptions", member_id=MEMBER, redemption_id=redemption_id, program_id=PROGRAM, reward_code=reward,
        reward_version=3, status="confirmed", points=100, voucher_code=voucher, redeemed_at=BEGUN, receipt="{}",
    )  # fmt: skip
    insert(
        url, "entries", member_id=MEMBER, seq=seq, unit="points", kind="redeem", points=-100, available=-100,
        pending=0, held=0, debt=0, available_after=0, occurred_at=BEGUN, known_at=BEGUN, recorded_at=BEGUN,
        late=False, reference=redemption_id,
    )  # fmt: skip


def test_what_was_offered_and_redeemed_before_is_what_it_was(old: str):
    insert(
        old, "programs", program_id=PROGRAM, code="shop", name="Shop", currency="EUR", time_zone="UTC", locale="en",
        sandbox=False, settings="{}", version=1, config_version=1, created_at=BEGUN,
    )  # fmt: skip
    insert(
        old, "members", member_id=MEMBER, program_id=PROGRAM, customer_id="c-42", status="active", enrolled_at=BEGUN,
        attributes="{}", consents="{}", referral_code="r", version=1, updated_at=BEGUN,
    )  # fmt: skip
    a_reward(old, "five-off", 10, BEGUN)
    a_reward(old, "endless", None, None)
    a_redemption(old, "r-1", 1, reward="five-off", voucher="7KQ2-M9XD-0T4F")
    a_redemption(old, "r-2", 2, reward="endless", voucher=None)

    alembic.command.upgrade(migrate.config(old), AFTER)

    told = {row["code"]: row for row in ask(old, "SELECT * FROM rewards")}
    limited, endless = (new_reward_from(told[code]["content"], told[code]["stock"]) for code in ("five-off", "endless"))
    assert (limited.name, limited.points, limited.worth) == (
        "5 off", 100, {"type": "discount_amount", "amount": 500},
    )  # fmt: skip
    assert (limited.stock, limited.valid_from, limited.valid_to, limited.fulfilment) == (10, BEGUN, None, "code")
    assert (endless.stock, endless.valid_from, endless.voucher) == (None, None, VoucherTerms())
    versions = ask(old, "SELECT code, version, withdrawn FROM reward_versions ORDER BY code")
    assert versions == [{"code": c, "version": 3, "withdrawn": False} for c in ("endless", "five-off")]
    wanted = ("redemption_id", "entry_seq", "confirmed_at", "fulfilment", "took_stock")
    assert ask(old, f"SELECT {', '.join(wanted)} FROM redemptions ORDER BY redemption_id") == [
        dict(zip(wanted, ("r-1", 1, BEGUN, "code", True), strict=True)),
        dict(zip(wanted, ("r-2", 2, BEGUN, "none", False), strict=True)),
    ]

    alembic.command.downgrade(migrate.config(old), BEFORE)

    back = {row["code"]: row for row in ask(old, "SELECT * FROM rewards")}
    assert (back["five-off"]["points"], back["five-off"]["limited"], back["five-off"]["valid_from"]) == (
        100, True, BEGUN,
    )  # fmt: skip
