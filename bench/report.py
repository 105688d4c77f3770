"""The table, and the goals beside what was reached."""

from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import median

from bench.load import Round
from bench.scenarios import NAMES

# what, divided by what, at least
GOALS = (
    ("order", "noop", 0.15),
    ("order", "naive", 2.5),
    ("balance", "noop", 0.30),
    ("offers", "noop", 0.20),
    ("rules", "order", 0.60),
    ("redemption", "noop", 0.12),
)
BULK_GOAL = 3_000

Rounds = Mapping[str, Sequence[Round]]


def ratio(rounds: Rounds, name: str, base: str) -> float | None:
    """The median over the rounds of one rate divided by the other's of the same round: drift cancels out."""
    if name not in rounds or base not in rounds:
        return None
    pairs = zip(rounds[name], rounds[base], strict=True)
    return median(one.rate / other.rate for one, other in pairs if other.rate)


def table(rounds: Rounds) -> list[str]:
    """One line per scenario: medians of the rounds."""
    wide = max(len(text) for text in NAMES.values())
    head = f"{'':{wide}} {'ops/s':>9} {'p50 ms':>8} {'p99 ms':>8} {'x pgbench':>10} {'x no-op':>8} {'python us':>10}"
    lines = [head + f" {'postgres us':>12}"]
    for name, done in rounds.items():
        lines.append(
            f"{NAMES[name]:{wide}} {median(r.rate for r in done):9,.0f}"
            f" {median(r.percentile(50) for r in done):8.2f} {median(r.percentile(99) for r in done):8.2f}"
            f" {_shown(ratio(rounds, name, 'pgbench')):>10} {_shown(ratio(rounds, name, 'noop')):>8}"
            f" {_microseconds([(r.server_cpu_seconds, r.operations) for r in done]):>10}"
            f" {_microseconds([(r.database_cpu_seconds, r.operations) for r in done]):>12}"
        )
    lines.append("(medians of the rounds; bulk: orders/s, latencies of a batch; us: processor time of an operation)")
    return lines


def goals(rounds: Rounds) -> list[str]:
    """What was reached, and what is to be reached."""
    lines = []
    for name, base, least in GOALS:
        reached = ratio(rounds, name, base)
        if reached is not None:
            lines.append(_goal(f"{name} / {base}", f"{reached:.3f}", f"{least:.2f}", met=reached >= least))
    if "bulk" in rounds:
        rate = median(done.rate for done in rounds["bulk"])
        lines.append(_goal("bulk, orders/s", f"{rate:,.0f}", f"{BULK_GOAL:,}", met=rate >= BULK_GOAL))
    return lines


def errors(rounds: Rounds) -> list[str]:
    """What went wrong, loudly."""
    lines = []
    for name, done in rounds.items():
        counted: Counter[str] = sum((r.errors for r in done), Counter())
        if counted:
            sample = next((r.sample for r in done if r.sample), "")
            kinds = ", ".join(f"{kind} x {number:,}" for kind, number in counted.most_common())
            lines.append(f"!!! {NAMES[name]}: {counted.total():,} FAILED ({kinds}), such as: {sample}")
    return lines


def _goal(what: str, reached: str, least: str, *, met: bool) -> str:
    return f"{what:18} {reached:>8}   goal >= {least:<6} {'met' if met else 'NOT MET'}"


def _shown(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _microseconds(measured: Sequence[tuple[float | None, int]]) -> str:
    each = [seconds * 1e6 / operations for seconds, operations in measured if seconds is not None and operations]
    return f"{median(each):,.0f}" if each else ""
