"""`loyalty verify`."""

import click

from loyalty.cli.runtime import in_application
from loyalty.db.session import transaction
from loyalty.ledger import verification
from loyalty.members.queries import member_id_of
from loyalty.programs import queries as programs


@click.command()
@click.option("--program", "code", help="Only this program.")
@click.option("--member", "customer_id", help="Only this member of the program.")
@in_application
def verify(code: str | None, customer_id: str | None) -> None:
    """Prove the books: accounts, entries, lots and allocations against each other. Exit 1 on any finding."""
    if customer_id and not code:
        raise click.UsageError("--member needs --program, for ids are unique only within one.")
    with transaction() as session:
        verification.take_snapshot(session)
        program_id = programs.by_code(session, code).program_id if code else None
        member_id = member_id_of(session, program_id, customer_id) if program_id and customer_id else None
        result = verification.verify(session, program_id=program_id, member_id=member_id)
    for finding in result.findings:
        where = f"member {finding['member_id']} entry {finding['seq']} {finding['unit'] or ''}".strip()
        click.echo(f"{finding['check']}: {where}: expected {finding['expected']}, found {finding['found']}", err=True)
    checked = ", ".join(f"{count} {what}" for what, count in result.checked.items())
    click.echo(f"{'The books are in order' if result.ok else f'{len(result.findings)} findings'}: {checked} checked.")
    if not result.ok:
        raise click.exceptions.Exit(1)
