"""A program's life told in a few words, counted in memory, and reports asked about it."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from loyalty.kpis.asking import question
from loyalty.kpis.domain import Answer, Question, Report, Sources
from loyalty.programs.domain import POINTS, Program
from loyalty.rollups.deltas import Counted, Deltas
from loyalty.rollups.domain import Dimension

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)

By = Iterable[tuple[Dimension, str]]


def a_program(**settings: Any) -> Program:
    """A program as it begins, with some settings of its own."""
    known: dict[str, Any] = {
        "program_id": UUID(int=1), "code": "demo", "name": "Demo", "currency": "EUR", "time_zone": "UTC",
        "locale": "en", "sandbox": False, "version": 1, "config_version": 1,
    }  # fmt: skip
    return Program(**(known | settings))


class Life:
    """What happened, day by day. `by` says of which tier, channel … it was."""

    def __init__(self) -> None:
        self.deltas = Deltas()

    def enrolled(self, day: str, *members: int) -> "Life":
        """Members came."""
        for member in members:
            self.deltas.add("enrolled", 1, on(day), by=())
            self.deltas.put("enrolled", member, on(day), by=())
        return self

    def left(self, day: str, member: int, *, tier: str | None = None) -> "Life":
        """A member left."""
        self.deltas.add("left", 1, on(day), by=[("tier", tier)] if tier else ())
        self.deltas.put("left", member, on(day), by=())
        return self

    def bought(self, day: str, member: int, sales: int, *, by: By = ()) -> "Life":
        """A member bought something."""
        by = list(by)
        self.deltas.add("orders", 1, on(day), by=by)
        self.deltas.add("sales", sales, on(day), by=by)
        self.deltas.put("buyers", member, on(day), by=by)
        return self

    def guest_bought(self, day: str, sales: int, *, by: By = ()) -> "Life":
        """Somebody else did."""
        by = list(by)
        self.deltas.add("guest_orders", 1, on(day), by=by)
        self.deltas.add("guest_sales", sales, on(day), by=by)
        return self

    def earned(self, day: str, member: int, points: int, *, by: By = (), unit: str = POINTS) -> "Life":
        """A member was awarded points."""
        by = list(by)
        self.deltas.add("points.earn", points, on(day), unit=unit, by=by)
        self.deltas.add("awards", 1, on(day), unit=unit, by=by)
        for name in ("earners", "active"):
            self.deltas.put(name, member, on(day), by=by)
        return self

    def redeemed(self, day: str, member: int, points: int, *, by: By = ()) -> "Life":
        """A member redeemed a reward."""
        by = list(by)
        self.deltas.add("points.redeem", -points, on(day), unit=POINTS, by=by)
        self.deltas.add("redemptions", 1, on(day), by=by)
        for name in ("redeemers", "active"):
            self.deltas.put(name, member, on(day), by=by)
        return self

    def counted(self, measure: str, amount: int, day: str, *, unit: str = "", by: By = ()) -> "Life":
        """Anything else that is added up."""
        self.deltas.add(measure, amount, on(day), unit=unit, by=list(by))
        return self

    def were(self, name: str, day: str, *members: int, by: By = ()) -> "Life":
        """Anything else that members were."""
        for member in members:
            self.deltas.put(name, member, on(day), by=list(by))
        return self


def on(day: str) -> date:
    """A day."""
    return date.fromisoformat(day)


def asked_of(report: Report, program: Program | None = None, **wanted: Any) -> Question:
    """A question as it comes from the API: days as texts, all else by its name."""
    known: dict[str, Any] = {
        "from": None, "to": None, "granularity": "month", **dict.fromkeys(report.filters),
        **{option.name: option.default for option in report.options},
    }  # fmt: skip
    given = {"from" if name == "first" else "to" if name == "last" else name: value for name, value in wanted.items()}
    days = {name: on(value) if name in ("from", "to") else value for name, value in given.items()}
    return question(report, program or a_program(), known | days, now=NOW)


def ask(
    report: Report, life: Life, *, program: Program | None = None, more: dict[str, Any] | None = None, **wanted: Any
) -> Answer:
    """What a report says about a life. It keeps to its columns."""
    asked = asked_of(report, program, **wanted)
    found = report.work_out(Sources(Counted(life.deltas, as_of=NOW + timedelta(hours=1)), more or {}), asked)
    names = [column.name for column in report.columns]
    assert all(set(each) == {"period", "from", "to", *names} for each in found.data)
    assert set(found.totals) == {column.name for column in report.totals}
    for section, rows in found.sections.items():
        assert all(set(each) == {column.name for column in report.sections[section]} for each in rows)
    return found


def column(answer: Answer, name: str) -> list[Any]:
    """One number of each row."""
    return [each[name] for each in answer.data]
