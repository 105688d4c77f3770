"""The Complete Journey in a service of its own, as it was in 2017: loaded once, the way a shop loads its history."""

import gc
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from flask import Flask
from psycopg.rows import tuple_row

from loyalty.db.session import reading, transaction
from loyalty.imports.service import Loaded, load, prepare_program
from loyalty.programs.domain import Program

CODE = "grocer"
LOADED_AT = datetime(2017, 9, 26, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Grocer:
    """The program, and the application that holds it."""

    app: Flask
    program: Program
    loaded: Loaded
    coupons: int

    def rows(self, sql: str, **given: Any) -> list[tuple[Any, ...]]:
        """What a statement finds; `%(program_id)s` is the program."""
        with self.app.app_context(), reading() as session:
            return session.rows(sql, {"program_id": self.program.program_id, **given}, into=tuple_row)

    def row(self, sql: str, **given: Any) -> tuple[Any, ...]:
        """The one row that a statement finds."""
        (found,) = self.rows(sql, **given)
        return found


def open_shop(app: Flask) -> Grocer:
    """Load everything that may be used."""
    from loyalty.imports.campaigns import read_campaigns
    from loyalty.imports.complete_journey import read
    from loyalty.imports.mailing import load_campaigns

    data = read()
    with app.app_context():
        with transaction() as session:
            program = prepare_program(session, CODE, currency=data.currency, time_zone=data.time_zone, now=LOADED_AT)
        gc.disable()
        try:
            parts = load(program.program_id, data.members(), data.orders(), now=LOADED_AT)
            loaded = sum(parts, Loaded())
            campaigns = read_campaigns(data, weeks=0)
            coupons = sum(load_campaigns(program.program_id, campaigns, now=LOADED_AT))
        finally:
            gc.enable()
    return Grocer(app, program, loaded, coupons)
