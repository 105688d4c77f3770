"""What facts add to sums and sets. Pure.

Facts come in the order of the log, page by page; where it is cut makes no difference. What is counted of a fact depends
on what it tells of, which never changes, and on what was told before: of a member (`Standing`), and of an order that
came back in parts.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from loyalty.core.categories import lineage
from loyalty.rollups.cells import ALL, By, Counting, Pair
from loyalty.rollups.told import Booked, Gathered, Ordered, Told


def count(counting: Counting, facts: Sequence[Told], gathered: Gathered) -> None:
    """Count facts, which come behind those that were counted. `gathered`: what they tell of."""
    counting.gathered = gathered
    for fact in facts:
        family, _, what = fact.type.partition(".")
        _HOW[family](counting, fact, what)


def _order(counting: Counting, fact: Told, what: str) -> None:
    order = counting.gathered.orders[fact.data["order_id"]]
    if what == "recorded":
        _placed(counting, fact, order)
    else:
        _came_back(counting, fact, what, order)


def _placed(counting: Counting, fact: Told, order: Ordered) -> None:
    day, goods = counting.day(order.placed_at), order.goods()
    sales = sum(cost for _, _, cost, _ in goods)
    if fact.customer_id is None:
        cell = counting.cell(day, _guest(order.channel))
        cell.sums["guest_orders", ""] += 1
        cell.sums["guest_sales", ""] += sales
        return
    number = counting.gathered.numbers[fact.owner_id]
    cell = counting.cell(day, counting.who(number, day, order.channel))
    cell.sums["orders", ""] += 1
    cell.sums["sales", ""] += sales
    cell.sets["buyers"].append(number)
    if discount := order.discount + sum(line["discount"] for line in order.lines):
        cell.sums["discount", ""] += discount
        cell.sums["discounted_orders", ""] += 1
    if order.points_paid:
        cell.sums["points_paid", ""] += order.points_paid
    counting.cell(day, ALL).sums["units", ""] += sum(units for _, units, _, _ in goods)
    for path, (units, cost) in _by_category(goods).items():
        cell = counting.cell(day, (("category", path),))
        cell.sums["orders", ""] += 1
        cell.sums["sales", ""] += cost
        cell.sums["units", ""] += units
        cell.sets["buyers"].append(number)


def _came_back(counting: Counting, fact: Told, what: str, order: Ordered) -> None:
    order_id, day, goods = fact.data["order_id"], counting.day(fact.occurred_at), order.goods()
    before = counting.returned.get(order_id, {})
    if what == "cancelled":
        after = {line_id: units for line_id, units, _, _ in goods}
    else:
        new = counting.gathered.returns[order_id, fact.data["return_id"]]
        # All of an order may have been cancelled by a fact that the log has before this one.
        after = {line_id: min(units, before.get(line_id, 0) + new.get(line_id, 0)) for line_id, units, _, _ in goods}
    counting.orders.add(order_id)
    counting.returned[order_id] = after
    amount, rest_came = 0, before != after and all(after[line_id] == units for line_id, units, _, _ in goods)
    by_path: dict[str, int] = defaultdict(int)
    for line_id, units, cost, category in goods:
        # What of it came back follows from how many units did in all: any parts add up to the whole.
        part = cost * after[line_id] // units - cost * before.get(line_id, 0) // units
        amount += part
        for path in lineage(category):
            by_path[path] += part
    guest = fact.customer_id is None
    if guest:
        cell = counting.cell(day, _guest(order.channel))
    else:
        cell = counting.cell(day, counting.who(counting.gathered.numbers[fact.owner_id], day, order.channel))
        for path, part in by_path.items():
            counting.cell(day, (("category", path),)).sums["returned", ""] += part
    cell.sums["guest_returned" if guest else "returned", ""] += amount
    cell.sums["guest_returned_orders" if guest else "returned_orders", ""] += rest_came


def _points(counting: Counting, fact: Told, _what: str) -> None:
    """Entries are counted with the first fact that tells of one as late as they are, or of a later one."""
    number = counting.gathered.numbers[fact.owner_id]
    standing, upto = counting.standings[number], fact.data["seq"]
    if standing.seq >= upto:
        return
    for entry in counting.gathered.entries.get(fact.owner_id, ()):
        if standing.seq < entry.seq <= upto:
            _booked(counting, number, entry)
    standing.seq = upto
    counting.members.add(number)


def _booked(counting: Counting, number: int, entry: Booked) -> None:
    day, unit, kind = counting.day(entry.occurred_at), entry.unit, entry.kind
    change, name = entry.available + entry.pending + entry.held, f"points.{entry.kind}"
    cell = counting.cell(day, counting.who(number, day, entry.channel))
    cell.sums[name, unit] += change
    keyed: list[Pair] = []
    if entry.rule is not None:
        keyed.append(("rule", entry.rule))
    if entry.reward is not None:
        keyed.append(("reward", entry.reward))
    if kind == "earn":
        cell.sums["awards", unit] += 1
        cell.sets["active"].append(number)
        cell.sets["earners"].append(number)
    elif kind == "redeem":
        cell.sets["active"].append(number)
        counting.cell(day, counting.who(number, day)).sets["redeemers"].append(number)
    for pair in keyed:
        cell = counting.cell(day, (pair,))
        cell.sums[name, unit] += change
        if kind == "earn" and pair[0] == "rule":
            cell.sums["awards", unit] += 1
            cell.sets["earners"].append(number)
        elif kind == "redeem" and pair[0] == "reward":
            cell.sets["redeemers"].append(number)
    for earned_at, part in entry.lots:
        counting.cell(day, (("cohort", f"{counting.day(earned_at):%Y-%m}"),)).sums[name, unit] += part
    if entry.debt or entry.pending or entry.held:
        sums = counting.cell(day, ALL).sums
        sums[f"debt.{kind}", unit] += entry.debt
        sums["pending", unit] += entry.pending
        sums["held", unit] += entry.held


def _member(counting: Counting, fact: Told, what: str) -> None:
    name = "enrolled" if what == "enrolled" else "left"
    at = counting.gathered.enrolled[fact.owner_id] if what == "enrolled" else fact.occurred_at
    number = counting.gathered.numbers[fact.owner_id]
    cell = counting.cell(counting.day(at), ALL)
    cell.sums[name, ""] += 1
    cell.sets[name].append(number)
    tier = counting.standings[number].tier
    if name == "left" and tier:
        counting.cell(counting.day(at), (("tier", tier),)).sums[name, ""] += 1


def _redemption(counting: Counting, fact: Told, what: str) -> None:
    name = "redemptions"
    if what != "confirmed":
        was_confirmed = what == "cancelled" and fact.data["redemption_id"] in counting.gathered.confirmed
        name = "redemptions_cancelled" if was_confirmed else "redemptions_dropped"
    _add(counting, fact, name, 1, ("reward", fact.data["reward"]))


def _payment(counting: Counting, fact: Told, what: str) -> None:
    name = "payments" if what == "captured" else "payments_refunded"
    _add(counting, fact, name, fact.data["amount"], None)


def _tier(counting: Counting, fact: Told, _what: str) -> None:
    tier = fact.data["tier"] or ""
    move: Pair = ("move", f"{fact.data['from'] or ''}>{tier}")
    counting.cell(counting.day(fact.occurred_at), (*ALL, move)).sums["moves", ""] += 1
    number = counting.gathered.numbers[fact.owner_id]
    counting.standings[number].tier = tier
    counting.members.add(number)


def _offer(counting: Counting, fact: Told, what: str) -> None:
    offer: Pair = ("offer", fact.data["offer"])
    put_into = f"offers.{what}" if what in ("assigned", "redeemed") else None
    _add(counting, fact, f"offers.{what}", 1, offer, put_into=put_into)
    if what == "redeemed":
        points, amount = fact.data["points"] or 0, fact.data["amount"] or 0
    elif what == "reinstated":
        points, amount = (-given for given in counting.gathered.undone.get(fact.event_id, (0, 0)))
    else:
        return
    sums = counting.cell(counting.day(fact.occurred_at), (*ALL, offer)).sums
    sums["offer_points", ""] += points
    sums["offer_amount", ""] += amount


def _feedback(counting: Counting, fact: Told, _what: str) -> None:
    touchpoint: Pair | None = ("touchpoint", fact.data["touchpoint"]) if fact.data.get("touchpoint") else None
    name = f"answers.{fact.data['kind']}.{fact.data['score']}"
    _add(counting, fact, name, 1, touchpoint, put_into="answered")


def _add(
    counting: Counting, fact: Told, measure: str, amount: int, pair: Pair | None, *, put_into: str | None = None
) -> None:
    """Add to a sum, and maybe to a set, by who the member is and by a key of what it was."""
    day, number = counting.day(fact.occurred_at), counting.gathered.numbers[fact.owner_id]
    for by in (counting.who(number, day), *(((pair,),) if pair else ())):
        cell = counting.cell(day, by)
        cell.sums[measure, ""] += amount
        if put_into:
            cell.sets[put_into].append(number)


_HOW: Mapping[str, Callable[[Counting, Told, str], None]] = {
    "order": _order,
    "points": _points,
    "member": _member,
    "redemption": _redemption,
    "payment": _payment,
    "tier": _tier,
    "offer": _offer,
    "feedback": _feedback,
}


def _guest(channel: str | None) -> By:
    return ALL if channel is None else (*ALL, ("channel", channel))


def _by_category(goods: Sequence[tuple[str, int, int, str | None]]) -> dict[str, tuple[int, int]]:
    """Units and cost of each category of an order, with all above it."""
    found: dict[str, tuple[int, int]] = {}
    for _, units, cost, category in goods:
        for path in lineage(category):
            before = found.get(path, (0, 0))
            found[path] = before[0] + units, before[1] + cost
    return found
