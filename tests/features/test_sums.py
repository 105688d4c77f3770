"""Sums of features: whatever the order in which orders come and go, they are what the orders there are say."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from loyalty.earning.adding import contribution_of
from loyalty.earning.domain import Line, Purchase
from loyalty.features import decay
from loyalty.features.decay import HABIT, PACE, minus, plus, times, weight
from loyalty.features.domain import RECENT_MAX
from loyalty.features.sums import entry_of, orders_of, placed_at_of
from loyalty.learning.contributions import LearnedOrder, contribution, learn
from loyalty.learning.deciding import built, decide, differences

ANN = UUID(int=1)
PATHS = (None, "tea", "coffee", "coffee > beans", "coffee > beans > dark")

instants = st.timedeltas(timedelta(-10_000), timedelta(40_000)).map(
    lambda past: datetime(2026, 1, 1, tzinfo=UTC) + past
)


@st.composite
def lines(draw: Any) -> list[dict[str, Any]]:
    made = []
    for number in range(draw(st.integers(1, 4))):
        quantity, price = draw(st.integers(1, 4)), draw(st.integers(0, 999))
        made.append({
            "line_id": str(number), "sku": draw(st.sampled_from("abc")), "category": draw(st.sampled_from(PATHS)),
            "quantity": quantity, "unit_price": price, "discount": draw(st.integers(0, quantity * price)), "tax": 0,
        })  # fmt: skip
    return made


def nets(ordered: list[dict[str, Any]]) -> int:
    return sum(line["quantity"] * line["unit_price"] - line["discount"] for line in ordered)


@st.composite
def orders(draw: Any, number: int = 0) -> dict[str, Any]:
    ordered = draw(lines())
    return {
        "order_id": f"o-{number}", "lines": ordered, "discount": draw(st.integers(0, nets(ordered))),
        "placed_at": draw(instants | st.just(datetime(2026, 1, 1, tzinfo=UTC))),
    }  # fmt: skip


@st.composite
def returns(draw: Any, ordered: list[dict[str, Any]], before: dict[str, int]) -> dict[str, int]:
    """What came back by now: no less than before."""
    back = {line["line_id"]: draw(st.integers(before.get(line["line_id"], 0), line["quantity"])) for line in ordered}
    return {line_id: units for line_id, units in back.items() if units}


@given(st.data())
def test_learned_in_any_order_and_in_any_batches_they_are_what_all_orders_say(data: st.DataObject):
    """The rows of a database as a dictionary; each step looks at some orders, some of which changed before."""
    placed = [data.draw(orders(number)) for number in range(data.draw(st.integers(1, 9)))]
    back: dict[str, dict[str, int]] = defaultdict(dict)
    known: dict[str, dict[str, int]] = {}
    goods: dict[Any, Any] = {}
    member = None

    def now_of(order: dict[str, Any], *, anew: bool = False) -> LearnedOrder:
        order_id = order["order_id"]
        return LearnedOrder(
            **order, member_id=ANN, learner_id=ANN, returned=dict(back[order_id]),
            known=None if anew else known.get(order_id),
        )  # fmt: skip

    for _ in range(data.draw(st.integers(1, 6))):
        batch = data.draw(st.lists(st.sampled_from(placed), min_size=1, unique_by=lambda order: order["order_id"]))
        for order in batch:
            back[order["order_id"]] = data.draw(returns(order["lines"], back[order["order_id"]]))
        seen = [now_of(order) for order in batch]
        members = {} if member is None else {ANN: member}
        changed, again = decide(learn(seen), {ANN: goods}, members, {})
        known |= {order.order_id: dict(order.returned) for order in seen}
        if again:
            anew, sums = built(now_of(order, anew=True) for order in placed if order["order_id"] in known)
            changed = {ANN: differences(anew.get(ANN, {}), sums.get(ANN), goods, member)}
        for each in changed.values():
            for of, (before, after) in each.goods.items():
                assert goods.pop(of, None) == before
                if after is not None:
                    goods[of] = after
            if each.member is not None:
                assert each.member[0] == member
                member = each.member[1]

    anew, sums = built(now_of(order, anew=True) for order in placed if order["order_id"] in known)
    assert repr(sorted(goods.items())) == repr(sorted(anew.get(ANN, {}).items()))
    expected = sums.get(ANN)
    assert repr(member) == repr(None if expected is None or expected.is_empty else expected)


@given(orders(), st.data())
def test_an_order_counts_here_as_it_does_for_rules(order: dict[str, Any], data: st.DataObject):
    back = data.draw(returns(order["lines"], {}))
    purchase = Purchase(
        lines=tuple(Line(**line) for line in order["lines"]), placed_at=order["placed_at"], discount=order["discount"]
    )
    there, here = contribution_of(purchase, back), contribution(order["lines"], order["discount"], back)

    assert here.spend == there.total.spend
    assert {code: sums for (level, code), sums in here.goods.items() if level == "category"} == {
        path: (sums.quantity, sums.spend) for path, sums in there.categories.items()
    }
    articles = [sums for (level, _), sums in here.goods.items() if level == "sku"]
    assert (sum(units for units, _ in articles), sum(spend for _, spend in articles)) == (
        there.total.quantity, there.total.spend,
    )  # fmt: skip
    assert here.gross >= here.spend


@given(instants, st.text(min_size=1))
def test_an_entry_names_an_order_and_sorts_by_when_it_was_placed(at: datetime, order_id: str):
    entry = entry_of(order_id, at)

    assert (placed_at_of(entry), orders_of([entry])) == (at, (order_id,))
    assert entry < entry_of("", at + timedelta(microseconds=1))


@given(st.lists(instants, min_size=1), st.integers(1, 10**9))
def test_weights_added_and_taken_away_leave_exactly_what_was_there(times_of: list[datetime], spend: int):
    total = start = times(weight(times_of[0], PACE), spend)
    for at in times_of:
        total = plus(total, times(weight(at, PACE), spend))
    for at in reversed(times_of):
        total = minus(total, times(weight(at, PACE), spend))

    assert str(total) == str(start)


def test_only_the_newest_few_are_named():
    placed = [
        LearnedOrder(
            member_id=ANN, learner_id=ANN, order_id=f"o-{day}", placed_at=datetime(2026, 3, day, tzinfo=UTC),
            lines=[{"line_id": "1", "sku": "a", "category": "tea", "quantity": 1, "unit_price": 100, "discount": 0}],
            discount=0, returned={},
        )
        for day in range(1, 10)
    ]  # fmt: skip
    goods, members = built(placed)

    assert len(goods[ANN]["sku", "a"].recent) == RECENT_MAX
    assert orders_of(goods[ANN]["category", "tea"].recent) == ("o-5", "o-6", "o-7", "o-8", "o-9")
    assert members[ANN].orders == 9
    assert decay.as_of(members[ANN].weight, datetime(2026, 3, 9, tzinfo=UTC), HABIT) < 9
