"""`python -m bench.rehearsal`: how many real orders a second a draft is rehearsed on, by one core.

Loads the Complete Journey (67,010 orders of 631,607 lines) into a database of its own, which takes minutes, unless
LOYALTY_DATA_DIR names one that holds it (`loyalty demo`).
"""

from typing import Any

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
