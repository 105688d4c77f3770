"""The Complete Journey in a service of its own, as it was in 2017: loaded once, the way a shop loads its history."""

import gc
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from flask import Flask
from psycopg.rows import tuple_row

from loyalty.db.session import reading, transaction
from loyalty.earning import service as earning
from loyalty.imports.service import Loaded, load, prepare_program
from loyalty.kpis.catalogue import REPORTS
from loyalty.kpis.schemas import question_schema
from loyalty.kpis.service import answer
from loyalty.programs.domain import Program
from loyalty.programs.service import touch
from loyalty.rollups.following import follow_program
from tests.events.following import all_are_visible

CODE = "grocer"
LOADED_AT = datetime(2017, 9, 26, 12, tzinfo=UTC)
ALL_TIME = {"from": "2017-01-01", "to": "2017-09-25"}


@dataclass(frozen=True)
class Grocer:
    """The program, and the application that holds it."""

    app: Flask
    program: Program
    loaded: Loaded
    coupons: int

    def report(self, name: str, **asked: str) -> dict[str, Any]:
        """What a report says, about all the time that there is unless it is asked for another."""
        report = next(each for each in REPORTS if each.name == name)
        wanted = question_schema(report).load({**ALL_TIME, **asked})
        with self.app.app_context(), reading() as session:
            return answer(session, self.program.program_id, report, wanted, now=LOADED_AT)

    def rows(self, sql: str, **given: Any) -> list[tuple[Any, ...]]:
        """What a statement finds; `%(program_id)s` is the program."""
        with self.app.app_context(), reading() as session:
            return session.rows(sql, {"program_id": self.program.program_id, **given}, into=tuple_row)

    def row(self, sql: str, **given: Any) -> tuple[Any, ...]:
        """The one row that a statement finds."""
        (found,) = self.rows(sql, **given)
        return found


def open_shop(app: Flask) -> Grocer:
    """Load everything that may be used, and count it.

    The program gives no points, and no product has a category: no figure is about either, and to count them would take
    as long as all the rest.
    """
    from loyalty.imports.campaigns import read_campaigns
    from loyalty.imports.complete_journey import read
    from loyalty.imports.mailing import load_campaigns

    data = replace(read(), categories={})
    # Nothing that is loaded refers to itself; to look for what does takes a tenth of the time.
    gc.disable()
    try:
        with app.app_context():
            program = _open(data.currency, data.time_zone)
            loaded = sum(load(program.program_id, data.members(), data.orders(), now=LOADED_AT), Loaded())
            campaigns = read_campaigns(data, weeks=0)
            coupons = sum(load_campaigns(program.program_id, campaigns, now=LOADED_AT))
            _count(program)
    finally:
        gc.enable()
    return Grocer(app, program, loaded, coupons)


def _open(currency: str, time_zone: str) -> Program:
    with transaction() as session:
        program = prepare_program(session, CODE, currency=currency, time_zone=time_zone, now=LOADED_AT)
        touch(session, program.program_id)
        earning.save_draft(session, program.program_id, {"rules": [], "segments": []}, now=LOADED_AT)
        earning.publish(session, program.program_id, effective_from=None, published_by="test", now=LOADED_AT)
    return program


def _count(program: Program) -> None:
    all_are_visible(program.program_id)
    done = 1
    while done:
        with transaction() as session:
            done = follow_program(session, program.program_id)
