"""Members whose points have lived through everything, written step by step as the service does."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from loyalty.db.session import Session
from loyalty.ledger import holdings, moving, reversing
from loyalty.ledger import service as ledger
from loyalty.ledger.book import Book
from loyalty.ledger.crediting import earn, give, reinstate
from loyalty.ledger.domain import Hold
from loyalty.ledger.reversing import Claim
from loyalty.ledger.settling import mature
from loyalty.ledger.spending import capture, debit, give_back, hold, redeem, release
from loyalty.members.domain import LockedMember
from loyalty.programs.domain import Program, ReturnSettings
from tests.builders import NOW, a_credit, a_member
from tests.ledger.books import close

A_DAY = timedelta(days=1)
AN_HOUR = timedelta(hours=1)
IDLE = "inactivity 30d"
DEBT = ReturnSettings("debt")


def day(number: float) -> datetime:
    """So many days after NOW."""
    return NOW + number * A_DAY


@contextmanager
def books(session: Session, program: Program, *members: LockedMember, now: datetime) -> Iterator[list[Book]]:
    """The members' books, open with all their lots, and written when the block ends."""
    opened = ledger.open_books(session, program, members, now=now)
    for member_id, book in opened.items():
        book.lots.take_in(holdings.open_lots(session, member_id))
    yield [opened[member.member_id] for member in members]
    for book in opened.values():
        close(session, program, book, now=now)


def kept(session: Session, book: Book, hold_id: str) -> Hold:
    """A hold of the book, or read into it with the lots of its pieces."""
    if (made := book.holds.get(hold_id)) is not None:
        return made
    found = holdings.hold(session, book.member_id, hold_id)
    assert found is not None
    book.holds.take_in([found])
    book.lots.take_in(holdings.lots_named(session, book.member_id, [lot for lot, _ in found.pieces]))
    return book.holds[hold_id]


def a_whole_life(session: Session, program: Program) -> LockedMember:
    """A member with entries of every kind, lots in every state, and two neighbours."""
    ann, bob, cid = (a_member(session, program) for _ in range(3))
    with books(session, program, ann, now=day(0)) as [book]:
        for number in range(50):
            earn(book, a_credit(1, expires_at=day(100 + number)))
        book_of_the_first_day(book)
    with books(session, program, ann, now=day(3)) as [book]:
        redeem(book, "points", 130, reference="r-1", reason="5 off", order_id="A-2")
        kept_for = {"expires_at": day(3) + AN_HOUR, "order_id": "A-3", "reason": "checkout"}
        hold(book, "points", 20, hold_id="h-captured", **kept_for)
        hold(book, "points", 10, hold_id="h-released", **kept_for)
        hold(book, "points", 5, hold_id="h-expired", **kept_for)
    with books(session, program, ann, now=day(3) + AN_HOUR / 2) as [book]:
        capture(book, kept(session, book, "h-captured"), 15, order_id="A-4")
        release(book, kept(session, book, "h-released"), at=book.now)
    with books(session, program, ann, now=day(6)) as [book]:
        mature(book, next(lot for lot in book.lots if lot.points == 45), day(6))
    own = (53,)
    with books(session, program, ann, now=day(12)) as [book]:
        read(session, book, *own)
        claim = Claim(points=300, unit="points", own=own, order_id="A-1", reference="ret-1", reason="returned")
        reversing.reverse(book, claim, DEBT)
        reversing.reverse(book, Claim(points=30, unit="miles", own=(57,), order_id="A-1", reference="ret-1"), DEBT)
    with books(session, program, ann, now=day(13)) as [book]:
        earn(book, a_credit(400, earned_at=day(13), expiry=IDLE, order_id="A-5"))
        give(book, "adjust", a_credit(20, earned_at=day(13), expires_at=day(60), reason="sorry"))
        debit(book, "adjust", "points", 5, reason="a mistake", detail={"actor": "key:1"})
    with books(session, program, ann, now=day(14)) as [book]:
        lapsed, paid = 51, book.lots[next(lot.seq for lot in book.lots if lot.points == 400)].seq
        redeem(book, "points", 30, reference="r-2", reason="5 off")
        read(session, book, lapsed)
        back = a_credit(20, earned_at=day(14), order_id="A-2", reference="ret-2", reason="returned")
        give_back(book, [(book.lots[paid], 10), (book.lots[lapsed], 10)], grace_until=day(44), credit=back)
        again = a_credit(5, earned_at=day(14), expires_at=day(74), origin=(ann.member_id, lapsed), reason="asked")
        reinstate(book, again, lapsed=10)
    with books(session, program, ann, bob, now=day(15)) as [book, other]:
        moving.transfer(book, other, "points", 10, reference="t-1", reason="a present")
        moving.transfer(other, book, "points", 4, reference="t-2", reason="thanks")
    a_second_self(session, program, cid)
    with books(session, program, cid, ann, now=day(16)) as [source, book]:
        moving.merge(source, book, source_id="c-old", target_id="c-new")
    with books(session, program, ann, now=day(17)) as [book]:
        earn(book, a_credit(7, earned_at=day(9), order_id="A-6"))  # an order that arrives late
        hold(book, "points", 9, hold_id="h-open", expires_at=day(18), order_id="A-7", reason="checkout")
        earn(book, a_credit(60, earned_at=day(17), matures_at=day(30), expires_at=day(90)))
        earn(book, a_credit(61, earned_at=day(17), pending=True, deadline_at=day(40), expiry="rolling 1m"))
    return ann


def book_of_the_first_day(book: Book) -> None:
    """Lots of all terms."""
    earn(book, a_credit(100, expires_at=day(10), order_id="A-1", rule_code="base", rule_version=1))
    earn(book, a_credit(50, matures_at=day(2), expires_at=day(20)))
    earn(book, a_credit(30))
    earn(book, a_credit(40, pending=True, deadline_at=day(5), expiry="rolling 1m"))
    earn(book, a_credit(45, pending=True, deadline_at=day(15), expiry="rolling 1m"))
    earn(book, a_credit(25, expiry=IDLE))
    earn(book, a_credit(10, unit="miles"))
    earn(book, a_credit(10, expires_at=day(1)))


def a_second_self(session: Session, program: Program, member: LockedMember) -> None:
    """A member to be merged, who holds lots of all terms, and owes points of one kind."""
    with books(session, program, member, now=day(15)) as [book]:
        earn(book, a_credit(11, earned_at=day(15), expires_at=day(70)))
        earn(book, a_credit(12, earned_at=day(15), expiry=IDLE))
        earn(book, a_credit(13, earned_at=day(15), matures_at=day(40)))
        earn(book, a_credit(14, earned_at=day(15), pending=True, deadline_at=day(50), expiry="never"))
        earn(book, a_credit(3, earned_at=day(15), unit="stars"))
        redeem(book, "stars", 3, reference="r-3", reason="a star")
        reversing.reverse(book, Claim(points=3, unit="stars", own=(5,), order_id="B-1", reference="ret-3"), DEBT)


def read(session: Session, book: Book, *lots: int) -> None:
    """Read lots into a book that nothing is left of."""
    book.lots.take_in(holdings.lots_named(session, book.member_id, lots))
