"""`loyalty keys`."""

from datetime import UTC, datetime

import click
from psycopg.rows import tuple_row

from loyalty.access import queries, service
from loyalty.access.domain import SCOPES, NewKey
from loyalty.access.errors import KeyNotFound
from loyalty.cli.runtime import in_application
from loyalty.core import clock
from loyalty.db.paging import LIMIT_MAX, Window
from loyalty.db.session import reading, transaction
from loyalty.programs import queries as programs

_BY_PREFIX = "SELECT program_id, key_id FROM api_keys WHERE prefix = %s OR key_id::text = %s"


@click.group()
def keys() -> None:
    """Create, list and revoke API keys."""


@keys.command("create")
@click.option("--program", "code", required=True, help="The program that the key opens.")
@click.option(
    "--scope", "scopes", multiple=True, required=True, type=click.Choice(sorted(SCOPES)), metavar="SCOPE",
    help="What the key opens: admin, or an area such as orders or members:read. May be given several times.",
)  # fmt: skip
@click.option("--name", default="", help="What the key is for.")
@click.option("--expires", type=click.DateTime(["%Y-%m-%d"]), help="The day (UTC) from which the key is refused.")
@in_application
def create(code: str, scopes: tuple[str, ...], name: str, expires: datetime | None) -> None:
    """Make a key and print it, alone, on standard output. It is shown this once."""
    new = NewKey(scopes, name, expires and expires.replace(tzinfo=UTC))
    with transaction() as session:
        program = programs.by_code(session, code)
        issued = service.create_key(session, program.program_id, new, now=clock.now())
    click.echo(issued.secret)


@keys.command("list")
@click.option("--program", "code", required=True, help="The program.")
@in_application
def list_(code: str) -> None:
    """List a program's keys, newest first: prefix, state, scopes, name."""
    with reading() as session:
        program_id = programs.by_code(session, code).program_id
        window: Window | None = Window(LIMIT_MAX)
        while window:
            page = queries.keys(session, program_id, window)
            for key in page.data:
                ended = key.expires_at is not None and key.expires_at <= clock.now()
                state = "revoked" if key.revoked_at else "expired" if ended else "active"
                click.echo(f"{key.prefix}  {state:8}  {','.join(key.scopes)}  {key.name}".rstrip())
            window = Window(LIMIT_MAX, page.next) if page.next else None


@keys.command("revoke")
@click.argument("key")
@in_application
def revoke(key: str) -> None:
    """Revoke a key, named by its prefix (as listed) or its id. Services refuse it within a second."""
    with transaction() as session:
        found = session.rows(_BY_PREFIX, (key, key), into=tuple_row)
        if len(found) != 1:
            raise KeyNotFound(f"{'No key is' if not found else 'Several keys are'} called '{key}'.")
        service.revoke_key(session, *found[0], now=clock.now())
    click.echo(f"Key {key} is revoked.")
