"""`loyalty tiers`."""

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TextIO

import click
import orjson
from marshmallow import ValidationError

from loyalty.audit.domain import COMMAND_LINE
from loyalty.cli.runtime import in_application
from loyalty.core import clock
from loyalty.core.errors import OperatorError
from loyalty.db.session import reading, transaction
from loyalty.programs import queries as programs
from loyalty.tiers import manual
from loyalty.tiers.grant_schemas import OUTCOMES, BroughtTierSchema
from loyalty.tiers.manual import BROUGHT_MAX, BroughtTier

COLUMNS = ("customer_id", "tier", "since", "valid_until")

# A line of a file, by its number: what it says, or what is wrong with it.
Line = tuple[int, BroughtTier | str]


@click.group()
def tiers() -> None:
    """Take over the tiers that members had in another program."""


@tiers.command("import")
@click.option("--program", "code", required=True, help="The program.")
@click.argument("file", type=click.File(encoding="utf-8-sig"))
@in_application
def import_(code: str, file: TextIO) -> None:
    """Take over tiers from FILE, in CSV: customer_id,tier,since,valid_until (empty: as the ladder says).

    Instants are written as 2026-03-01T10:00:00Z. Safe to run again: what was imported before stays as it is. Tells of
    every line that is refused, and exits 1 if there is one.
    """
    with reading() as session:
        program_id = programs.by_code(session, code).program_id
    counts: Counter[str] = Counter()
    lines = _lines(file)
    while batch := list(islice(lines, BROUGHT_MAX)):
        sound = [(number, said) for number, said in batch if isinstance(said, BroughtTier)]
        with transaction() as session:
            # A sandbox has a clock of its own.
            now = clock.real_now() + programs.clock(session, program_id).ahead
            brought = [said for _, said in sound]
            told = manual.bring_members(session, program_id, brought, actor=COMMAND_LINE, now=now) if brought else []
        outcomes = [
            (number, each["outcome"], each.get("detail", "")) for (number, _), each in zip(sound, told, strict=True)
        ]
        outcomes += [(number, "refused", said) for number, said in batch if isinstance(said, str)]
        counts.update(outcome for _, outcome, _ in outcomes)
        _tell(sorted(outcomes))
    click.echo(", ".join(f"{counts[outcome]} {outcome}" for outcome in OUTCOMES))
    if counts["refused"]:
        raise click.exceptions.Exit(1)


def _lines(file: TextIO) -> Iterator[Line]:
    """The lines of a file but the first, which names the columns."""
    table = csv.DictReader(file)
    if set(table.fieldnames or ()) != set(COLUMNS):
        raise OperatorError(f"{file.name} does not begin with the line {','.join(COLUMNS)}.")
    schema = BroughtTierSchema()
    for row in table:
        if None in row or None in row.values():
            yield table.line_num, f"Must have {len(COLUMNS)} columns."
            continue
        try:
            yield table.line_num, schema.load({**row, "valid_until": row["valid_until"] or None})
        except ValidationError as error:
            yield table.line_num, orjson.dumps(error.messages).decode()


def _tell(outcomes: Sequence[tuple[int, str, str]]) -> None:
    for number, outcome, detail in outcomes:
        if outcome == "refused":
            click.echo(f"line {number}: {detail}", err=True)
