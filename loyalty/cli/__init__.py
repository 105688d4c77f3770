"""The command line. Each command is a module of this package, imported when it is called."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import FrameType

import click
import psycopg
import sqlalchemy.exc

from loyalty.core.errors import DomainError, OperatorError

# command -> where it is, and what `loyalty --help` says of it without importing it
COMMANDS = {
    "serve": ("loyalty.cli.serve:serve", "Run the service (and the embedded PostgreSQL, if need be)."),
    "worker": ("loyalty.cli.worker:worker", "Do the background jobs (the service has a worker of its own)."),
    "jobs": ("loyalty.cli.jobs:jobs", "Look after the background jobs: when each is run, what waits, what failed."),
    "migrate": ("loyalty.cli.migrate:migrate", "Bring the database to the schema of this version."),
    "programs": ("loyalty.cli.programs:programs", "Create and list programs."),
    "keys": ("loyalty.cli.keys:keys", "Create, list and revoke API keys."),
    "config": ("loyalty.cli.config:config", "Export, compare and apply a program's configuration."),
    "demo": ("loyalty.cli.demo:demo", "Load real purchases (the Complete Journey) as members and orders."),
    "tiers": ("loyalty.cli.tiers:tiers", "Take over the tiers that members had in another program."),
    "features": ("loyalty.cli.features:features", "Build, or count, anew what is known of how members buy."),
    "rollups": ("loyalty.cli.rollups:rollups", "Count anew what reports are made of."),
    "outcomes": ("loyalty.cli.outcomes:outcomes", "Count anew what members spent after they were given offers."),
    "rehearse": ("loyalty.cli.rehearse:rehearse", "Try a draft of earning rules on orders that were really placed."),
    "report": ("loyalty.cli.report:report", "Work out what the program earns: as JSON, CSV, a page or a picture."),
    "verify": ("loyalty.cli.verify:verify", "Prove the books; exit 1 on any finding."),
    "settle": ("loyalty.cli.settle:settle", "Record what has matured or lapsed, of all members, now."),
    "openapi": ("loyalty.cli.openapi:openapi", "Print or write the API contract."),
}


class Commands(click.Group):
    """Commands that are imported when they are called, and errors that are one sentence."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Import the command called `name`."""
        if name not in COMMANDS:
            return None
        module, _, function = COMMANDS[name][0].partition(":")
        command = getattr(import_module(module), function)
        assert isinstance(command, click.Command), f"{name} is a command"
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; what goes wrong is told in one sentence."""
        try:
            with _ending_in_order():
                return super().invoke(ctx)
        except (OperatorError, DomainError) as error:
            raise click.ClickException(str(error)) from None
        except (psycopg.Error, sqlalchemy.exc.DBAPIError) as error:
            cause = getattr(error, "orig", error)
            reason = (str(cause).strip().splitlines() or ["no reason given"])[0].rstrip(".")
            if isinstance(cause, psycopg.errors.InsufficientPrivilege):
                remedy = (
                    "migrating is for its owner, who gives others their rights by 'loyalty migrate --grant-to ROLE'"
                )
                sentence = f"The database refuses: {reason}; {remedy}."
            elif isinstance(cause, psycopg.OperationalError):
                sentence = f"The database does not answer: {reason}."
            else:
                raise
            raise click.ClickException(sentence) from None


@contextmanager
def _ending_in_order() -> Iterator[None]:
    """Let `kill`, and a closed terminal, end a command as Ctrl-C does: no embedded PostgreSQL is left behind.

    A service that is up answers the signals itself.
    """
    # What is ignored (by nohup) stays ignored.
    ours = [n for n in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(n) is signal.SIG_DFL]
    before = {number: signal.signal(number, _end) for number in ours}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="loyalty-engine", prog_name="loyalty")
def main() -> None:
    """A loyalty program engine.

    Works on the PostgreSQL of DATABASE_URL or, when that is not set, on an embedded one under LOYALTY_DATA_DIR
    (default: var), which is started if it is not running.
    """
