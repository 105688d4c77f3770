"""`loyalty verify`."""

from typing import Any
from uuid import UUID

import click

from loyalty.cli.runtime import in_application
from loyalty.db.session import reading, transaction
from loyalty.ledger import rebuilding, verification
from loyalty.ledger.verification import Verification
from loyalty.members.queries import member_id_of
from loyalty.programs import queries as programs


@click.command()
@click.option("--program", "code", help="Only this program.")
@click.option("--member", "customer_id", help="Only this member of the program.")
@click.option(
    "--rebuild", is_flag=True, help="Where they differ, make accounts, lots and all else anew from the entries."
)
@in_application
def verify(code: str | None, customer_id: str | None, *, rebuild: bool) -> None:
    """Prove the books: accounts, entries, lots and all else against each other. Exit 1 if a finding remains."""
    if customer_id and not code:
        raise click.UsageError("--member needs --program, for ids are unique only within one.")
    with reading() as session:
        program_id = programs.by_code(session, code).program_id if code else None
        member_id = member_id_of(session, program_id, customer_id) if program_id and customer_id else None
    result = _proof(program_id, member_id)
    _show(result.findings)
    rebuilt: set[UUID] = set()
    while rebuild and (broken := {f["member_id"] for f in result.findings if f["member_id"]} - rebuilt):
        for each in sorted(broken):
            with transaction() as session:
                rebuilding.rebuild(session, each)
        rebuilt |= broken
        click.echo(f"Rebuilt from the entries: {len(broken)} {'member' if len(broken) == 1 else 'members'}.", err=True)
        result = _proof(program_id, member_id)
        _show(result.findings)
    checked = ", ".join(f"{count} {what}" for what, count in result.checked.items())
    click.echo(f"{'The books are in order' if result.ok else f'{len(result.findings)} findings'}: {checked} checked.")
    if not result.ok:
        raise click.exceptions.Exit(1)


def _proof(program_id: UUID | None, member_id: UUID | None) -> Verification:
    with transaction() as session:
        verification.take_snapshot(session)
        return verification.verify(session, program_id=program_id, member_id=member_id)


def _show(findings: list[dict[str, Any]]) -> None:
    for finding in findings:
        where = f"member {finding['member_id']} entry {finding['seq']} {finding['unit'] or ''}".strip()
        click.echo(f"{finding['check']}: {where}: expected {finding['expected']}, found {finding['found']}", err=True)
