"""Following the log: features become what they are to be, right behind the orders.

A fact says that there is something to look at; what there is to see, the order itself says. So features are a function
of the orders, however often and in whatever order facts come, and what was learned of an order is kept along with them,
in the transaction that moves the place in the log.

Only who holds the place of the program writes features: this follower, or whoever builds them anew (`rebuilding`). No
member is locked, and nobody who records orders is ever waited for.
"""

from collections.abc import Collection, Sequence
from uuid import UUID

from loyalty.db.session import Session
from loyalty.db.writer import Changes, write
from loyalty.events.following import LoggedFact, by_turns, follow
from loyalty.features import keeping
from loyalty.features.models import LearnedOrderRow
from loyalty.learning import gathering
from loyalty.learning.contributions import LearnedOrder, learn
from loyalty.learning.deciding import Changed, decide
from loyalty.learning.relearning import learned_row, put, relearn
from loyalty.members.queries import staying

NAME = "features"

ORDERS = ("order.recorded", "order.returned", "order.cancelled")
REDEEMED = ("redemption.confirmed", "redemption.cancelled", "offer.redeemed", "offer.reinstated")
MERGED = "member.merged"
TYPES = (*ORDERS, *REDEEMED, MERGED)

# So many facts in one transaction: half a second where orders have ten lines each, some seconds where all are returns.
PAGE = 500


def follow_batch(session: Session, *, limit: int = PAGE) -> int:
    """Learn from the next facts of all programs; 0 if there are none."""
    return by_turns(session, NAME, lambda who, most: follow_program(session, who, limit=most), limit=limit)


def follow_program(session: Session, program_id: UUID, *, limit: int = PAGE) -> int:
    """Learn from the next facts of a program; 0 if there are none, or somebody else does."""
    facts = follow(session, NAME, program_id, TYPES, limit=limit)
    if facts:
        act(session, program_id, facts)
    return 0 if facts is None else len(facts) + 1


def act(session: Session, program_id: UUID, facts: Sequence[LoggedFact]) -> None:
    """Look at what facts tell of, and learn what is new. The caller holds the program's place."""
    named = sorted({fact.data["order_id"] for fact in facts if fact.type in ORDERS and fact.customer_id is not None})
    orders, again = gathering.named_orders(session, program_id, named)
    merged = {fact.owner_id for fact in facts if fact.type == MERGED}
    used = {fact.owner_id for fact in facts if fact.type in REDEEMED}
    stays = staying(session, merged | used) if merged or used else {}
    again |= {stays[member_id] for member_id in merged}
    redeemed = gathering.redeemed(session, {stays[member_id] for member_id in used} - again)

    news = [order for order in orders if order.is_news and order.learner_id not in again]
    learning = learn(news)
    wanted = learning.members.keys() | redeemed.keys()
    goods, members = keeping.some_goods(session, learning.goods), keeping.members(session, wanted) if wanted else {}
    changed, unclear = decide(learning, goods, members, redeemed)
    _write(session, program_id, changed, [order for order in news if order.learner_id not in unclear])
    relearn(session, program_id, again | unclear)


def _write(session: Session, program_id: UUID, changed: dict[UUID, Changed], learned: Collection[LearnedOrder]) -> None:
    changes = Changes()
    put(changes, program_id, changed)
    for order in learned:
        changes.keep(LearnedOrderRow, learned_row(order), is_new=order.known is None)
    write(session, changes)
