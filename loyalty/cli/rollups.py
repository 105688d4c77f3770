"""`loyalty rollups`."""

from uuid import UUID

import click
from rich.console import Console

from loyalty.cli.runtime import in_application
from loyalty.db.session import reading, transaction
from loyalty.programs import queries as programs
from loyalty.rollups import building
from loyalty.rollups.comparing import differences
from loyalty.rollups.keeping import State, state_in_use


@click.group()
def rollups() -> None:
    """Count anew what reports are made of."""


@rollups.command("rebuild")
@click.option("--program", "code", help="Only this program.")
@click.option("--check", is_flag=True, help="Only compare; exit 1 if any row in use is other than the log says.")
@in_application
def rebuild(code: str | None, *, check: bool) -> None:
    """Count anew from the beginning of the log; reports change over at once when it is done.

    Safe to interrupt and to run again, beside the service: it goes on where it was.
    """
    with reading() as session:
        codes = [code] if code else programs.codes(session)
        ids = {each: programs.by_code(session, each).program_id for each in codes}
    wrong = 0
    for each, program_id in ids.items():
        with transaction() as session:
            state = building.begin(session, program_id, check=check)
        if state is None:
            click.echo(f"{each}: nothing was counted yet.")
            continue
        facts = _build(each, state)
        found = _compare(program_id, state) if check else _change_over(state)
        told = f"{found:,} {'row differs' if found == 1 else 'rows differ'}" if check else "in use"
        click.echo(f"{each}: {facts:,} facts, {told}.")
        wrong += found
    if wrong:
        raise click.exceptions.Exit(1)


def _build(code: str, state: State) -> int:
    facts, done = 0, False
    with Console(stderr=True).status(f"{code}: begins") as status:
        while not done:
            with transaction() as session:
                built = building.build(session, state)
            facts, done = facts + built.facts, built.done
            status.update(f"{code}: {facts:,} facts, up to {built.as_of or 'the beginning'}")
    return facts


def _change_over(state: State) -> int:
    with transaction() as session:
        building.change_over(session, state)
    return 0


def _compare(program_id: UUID, state: State) -> int:
    with transaction() as session:
        building.catch_up(session, state)
        used = state_in_use(session, program_id)
        found = differences(session, program_id, used.generation, state.generation) if used else 0
        left = building.leave(session, state)
    deleted = 1
    while deleted:
        with transaction() as session:
            deleted = building.delete(session, left)
    return found
