"""`python -m bench.rehearsal`: how many real orders a second a draft is rehearsed on, by one core.

Over the database of the settings, into which `loyalty demo` has loaded the Complete Journey: 67,010 orders of 631,607
lines. Nothing is written.
"""

from datetime import timedelta
from statistics import median
from time import perf_counter, process_time
from timeit import repeat
from typing import Any

from loyalty.cli.runtime import application
from loyalty.config import from_environment
from loyalty.core import clock
from loyalty.db.session import reading
from loyalty.programs import queries as programs
from loyalty.programs.domain import Program
from loyalty.programs.errors import ProgramNotFound
from loyalty.rehearsals import service
from loyalty.rehearsals.domain import Span
from loyalty.rehearsals.performing import perform

BASE = {"code": "base", "kind": "base", "priority": 1, "points_per": {"amount": 100, "points": "1"}}


def _ten() -> list[dict[str, Any]]:
    per = {"amount": 100, "points": "1"}
    return [
        BASE,
        {"code": "drug", "kind": "base", "priority": 2, "points_per": per, "categories": ["SOFT DRINKS"]},
        {"code": "weekend", "kind": "multiplier", "priority": 3, "factor": "2", "time_windows": [
            {"weekdays": ["sat", "sun"]}]},
        {"code": "produce", "kind": "multiplier", "priority": 4, "factor": "1.5", "categories": ["CHEESE"]},
        {"code": "evening", "kind": "multiplier", "priority": 5, "factor": "1.2", "time_windows": [
            {"from": "18:00", "to": "22:00"}], "categories": ["BEEF"]},
        {"code": "first", "kind": "bonus", "priority": 6, "points": 100, "milestone": {"first": 1}},
        {"code": "tenth", "kind": "bonus", "priority": 7, "points": 50, "milestone": {"every": 10}},
        {"code": "large", "kind": "bonus", "priority": 8, "points": 20, "min_basis": 5_000,
         "caps": {"per_member": {"month": 60}}},
        {"code": "app", "kind": "bonus", "priority": 9, "points": 5, "channels": ["app"]},
        {"code": "basket", "kind": "bonus", "priority": 10, "points": 10, "when": "order.quantity >= 20",
         "limits": {"week": 1}},
    ]  # fmt: skip


def _two_hundred() -> list[dict[str, Any]]:
    goods = ["SOFT DRINKS", "FLUID MILK PRODUCTS", "CHEESE", "BAG SNACKS", "SOUP", "BEEF", "YOGURT", "LUNCHMEAT"]
    conditions = ("order.basis >= {n}00", "history.orders >= {n}", 'member.locale == "pl" && local.hour < {m}')
    rules: list[dict[str, Any]] = _ten()
    for n in range(11, 201):
        rule: dict[str, Any] = {"code": f"r{n}", "priority": n, "categories": [goods[n % 8]]}
        rule |= {"kind": "bonus", "points": n} if n % 2 else {"kind": "multiplier", "factor": "1.01"}
        if n % 3 == 0:
            rule["when"] = conditions[n // 3 % 3].format(n=n, m=n % 24)
        elif n % 3 == 1:
            rule["time_windows"] = [
                {"weekdays": ["mon", "thu"], "from": f"{n % 20:02}:00", "to": f"{n % 20 + 2:02}:00"}
            ]
        rules.append(rule)
    return rules


SETS = {"the default rule": [BASE], "10 rules": _ten(), "200 rules": _two_hundred()}

PROGRAM = "demo"
DAYS = 400
ROUNDS = 3


def main() -> None:
    """Rehearse each set on all orders, in turns, and print the best and the median round."""
    with application(from_environment()):
        program = _program()
        now = clock.now()
        span = Span(now - timedelta(days=DAYS), now)
        measured: dict[str, list[tuple[float, float]]] = {name: [] for name in SETS}
        counted = 0
        for _ in range(ROUNDS):
            for name, rules in SETS.items():
                rule_set = service.rules_of({"rules": rules, "segments": []})
                wall, cpu = perf_counter(), process_time()
                counted = perform(program, rule_set, span, now=now).done
                measured[name].append((counted / (perf_counter() - wall), counted / (process_time() - cpu)))
    print(f"{counted:,} orders; a yardstick of Python takes {_yardstick():.0f} µs here.")
    for name, rates in measured.items():
        walls, cpus = zip(*rates, strict=True)
        print(
            f"{name:<18}{max(walls):>9,.0f} orders/s ({median(walls):,.0f} in the median); "
            f"{max(cpus):,.0f} a second of this process's own time"
        )


def _program() -> Program:
    with reading() as session:
        try:
            return programs.by_code(session, PROGRAM)
        except ProgramNotFound:
            raise SystemExit("Run `loyalty demo` first, over the same LOYALTY_DATA_DIR or DATABASE_URL.") from None


def _yardstick() -> float:
    return min(repeat("sum(x * 2 for x in range(1000))", number=200, repeat=5)) / 200 * 1e6


if __name__ == "__main__":
    main()
