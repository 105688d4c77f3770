"""`python -m bench`: everything side by side, in short rounds that take turns, so that drift hits all alike."""

import argparse
import os
import platform
import sys
from collections import defaultdict
from contextlib import ExitStack

import psycopg

from bench import pgbench, report
from bench.load import CONNECTIONS, Round
from bench.scenarios import NAMES, Run, set_up
from bench.shop import command
from bench.stage import Database, postgresql, scratch
from loyalty.config import from_environment

ROUNDS = 5
WARM_UP_SECONDS = 1.0
# Above this many runnable processes, somebody else is at work.
QUIET_LOAD = 0.5


def main() -> int:
    """Measure, print, prove the books. Slowness is no failure; a wrong answer or a wrong book is."""
    arguments = _arguments()
    names = set(arguments.only or NAMES)
    if "pgbench" in names and pgbench.program() is None:
        print("pgbench: skipped, there is none on the PATH.")
        names.remove("pgbench")
    with ExitStack() as leaving:
        folder = leaving.enter_context(scratch())
        database = leaving.enter_context(postgresql(folder))
        _say_where(database)
        print("Setting up ...", end="", flush=True)
        runs, engine_url = set_up(names, database, folder, leaving)
        rounds = _measure(runs, seconds=arguments.seconds, count=arguments.rounds)
        failures = report.errors(rounds)
        proof = command(engine_url, "verify", check=False).strip() if engine_url else ""
        for part in (report.table(rounds), report.goals(rounds), failures, [proof]):
            if any(part):
                print("\n" + "\n".join(part))
    return 1 if failures or (proof and not proof.startswith("The books are in order")) else 0


def _measure(runs: dict[str, Run], *, seconds: float, count: int) -> dict[str, list[Round]]:
    print(" warming up ...", end="", flush=True)
    for run in runs.values():
        run(WARM_UP_SECONDS)
    measured: dict[str, list[Round]] = defaultdict(list)
    for number in range(count):
        print(f" {number + 1}/{count}", end="", flush=True)
        # There and back: nobody always follows the same neighbour.
        for name in list(runs) if number % 2 == 0 else reversed(runs):
            measured[name].append(runs[name](seconds / count))
    print()
    return {name: measured[name] for name in runs}


def _say_where(database: Database) -> None:
    settings = from_environment()
    with psycopg.connect(database.url) as connection:
        version = connection.info.parameter_status("server_version")
    print(
        f"{os.cpu_count()} processors, Python {platform.python_version()}, PostgreSQL {version}"
        f"{' (embedded)' if database.postmaster else ' (DATABASE_URL)'}; gunicorn: {settings.workers} processes of"
        f" {settings.threads} threads; {CONNECTIONS} connections."
    )
    busy = os.getloadavg()[0]
    if busy > QUIET_LOAD:
        print(f"The machine is not quiet (load {busy:.1f}): trust the ratios more than the figures, and neither much.")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--seconds", type=float, default=15, help="of each scenario, in all rounds (default: 15)")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"that they are split into (default: {ROUNDS})")
    parser.add_argument("--only", nargs="+", choices=list(NAMES), metavar="NAME", help=", ".join(NAMES))
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
