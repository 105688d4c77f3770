"""Builders: plain functions with telling defaults. A test names only what matters to it."""

from datetime import UTC, datetime
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import UUID

from loyalty.access import service as access
from loyalty.access.domain import NewKey
from loyalty.core.ids import new_id
from loyalty.db.session import Session
from loyalty.db.writer import write
from loyalty.earning.domain import Line
from loyalty.earning.rules import EarningRule, PointsPer
from loyalty.ledger.domain import Account, Credit, Lot
from loyalty.members import locks
from loyalty.members import service as members
from loyalty.members.domain import LockedMember, NewMember
from loyalty.orders.domain import NewOrder
from loyalty.programs import service as programs
from loyalty.programs.domain import NewProgram, Program
from loyalty.programs.terms import Dates
from loyalty.rewards import editing as rewards
from loyalty.rewards.domain import NewReward, Reward

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

_numbers = count(1)


def a_program(session: Session, *, settings: dict[str, Any] | None = None, **given: Any) -> Program:
    """A new program; `settings` change its defaults as PATCH /v1/admin/program does."""
    new = NewProgram(**{"code": f"p-{new_id().hex}", "name": "Test", **given})
    program = programs.create_program(session, new, now=NOW)
    if settings:
        programs.touch(session, program.program_id)
        program = programs.change_settings(session, program.program_id, settings, now=NOW)
    return program


def a_key(session: Session, program: Program, *scopes: str) -> str:
    """The secret of a new key of the program; an admin's unless scopes are given."""
    return access.create_key(session, program.program_id, NewKey(scopes or ("admin",)), now=NOW).secret


def a_member(session: Session, program: Program, customer_id: str = "", **profile: Any) -> LockedMember:
    """An enrolled member, locked by this transaction."""
    customer_id = customer_id or f"c-{next(_numbers)}"
    new = NewMember(customer_id=customer_id, enrolled_at=NOW, given=frozenset(profile), **profile)
    write(session, members.enrol(session, program.program_id, [new], now=NOW).changes)
    return locks.lock_member(session, program.program_id, customer_id)


def a_reward(session: Session, program: Program, code: str = "five-off", **given: Any) -> Reward:
    """A reward of the catalogue: 5 off for 100 points, without end, unless said otherwise."""
    defaults = {
        "name": "5 off",
        "type": "discount_amount",
        "points": 100,
        "value": {"amount": 500},
        "fulfilment": "code",
    }
    programs.touch(session, program.program_id)
    return rewards.put_reward(session, program.program_id, code, NewReward(**{**defaults, **given}), now=NOW)


def a_line(unit_price: int = 1000, **given: Any) -> Line:
    """A line of one piece."""
    return Line(**{"line_id": f"l{next(_numbers)}", "sku": "sku", "unit_price": unit_price, **given})


def an_order(*lines: Line, **given: Any) -> NewOrder:
    """An order of the member c-42, worth 100.00 unless lines are given, placed at NOW."""
    defaults = {"order_id": f"o-{next(_numbers)}", "customer_id": "c-42", "currency": "EUR", "placed_at": NOW}
    return NewOrder(lines=lines or (a_line(10_000),), **{**defaults, **given})


def a_rule(code: str = "base", *, points: str | int = "1", amount: int = 100, **given: Any) -> EarningRule:
    """A base rule: 1 point per 1.00 unless said otherwise."""
    if given.get("kind", "base") == "base" and "points_per_unit" not in given:
        given["points_per"] = PointsPer(amount, Decimal(points))
    if given.get("kind") == "bonus":
        given["points"] = points
    return EarningRule(**{"code": code, "version": 1, "priority": next(_numbers), **given})


def an_account(member_id: UUID | None = None, **given: Any) -> Account:
    """An account in points."""
    return Account(**{"member_id": member_id or new_id(), "unit": "points", **given})


def a_credit(points: int = 100, **given: Any) -> Credit:
    """Points earned at NOW that never lapse, unless dates are given (`expires_at`, `matures_at` …)."""
    dates = {name: given.pop(name) for name in ("matures_at", "deadline_at", "expires_at", "expiry") if name in given}
    pending = given.pop("pending", dates.get("matures_at") is not None)
    return Credit(
        **{"points": points, "unit": "points", "earned_at": NOW, "dates": Dates(pending=pending, **dates), **given}
    )


def a_lot(points: int = 100, **given: Any) -> Lot:
    """An open lot of points earned at NOW that never lapses."""
    defaults: dict[str, Any] = {
        "member_id": new_id(),
        "seq": next(_numbers),
        "unit": "points",
        "points": points,
        "remaining": points,
        "pending": False,
        "earned_at": NOW,
        "matures_at": None,
        "expires_at": None,
    }
    return Lot(**{**defaults, **given})


def order_json(**given: Any) -> dict[str, Any]:
    """An order as a shop sends it: one line of 30.00 unless said otherwise."""
    line = {"line_id": "1", "sku": "KAFFEE-1", "category": "coffee", "quantity": 2, "unit_price": 1500}
    return {
        "order_id": f"o-{next(_numbers)}",
        "customer_id": "c-42",
        "currency": "EUR",
        "placed_at": "2026-03-01T10:00:00Z",
        "lines": [line],
        **given,
    }


def activity_json(**given: Any) -> dict[str, Any]:
    """An activity as a shop sends it: a review unless said otherwise."""
    activity = {"activity_id": f"act-{next(_numbers)}", "customer_id": "c-42", "type": "review"}
    return {**activity, "occurred_at": "2026-03-01T10:00:00Z", **given}


def reward_json(**given: Any) -> dict[str, Any]:
    """A reward as a marketer sends it."""
    reward = {"name": "5 off", "type": "discount_amount", "points": 100, "value": {"amount": 500}, "fulfilment": "code"}
    return {**reward, **given}
