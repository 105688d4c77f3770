"""What points do, once more and as simply as possible: plain lists, by the specification and not by the code.

Nothing here is fast, stored or shared with what it is compared to, not even the calendar. A `Holding` is what one
member has; what happens by itself is done by `settle`, which looks for the next thing to happen until there is none.
"""

from collections import Counter
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime

from tests.ledger.terms import FOR_EVER, LONG_AGO, Debt, Hold, Lasting, Lot, Order, Promise, life

BUCKETS = ("available", "pending", "held", "debt", "lifetime_earned", "lifetime_spent")

# What happens first, of what happens at one instant.
MATURES, TIMES_OUT, IS_MISSED, LAPSES, IDLES = range(5)


class Refused(Exception):
    """The member may not do that."""


@dataclass
class Holding:
    """What one member has."""

    zone: str
    lots: list[Lot] = field(default_factory=list)
    holds: dict[str, Hold] = field(default_factory=dict)
    debts: list[Debt] = field(default_factory=list)
    # Until when points last that are not used, by their terms.
    clocks: dict[Lasting, datetime] = field(default_factory=dict)
    # What changed: when it happened, when it was known, by how much.
    journal: list[tuple[datetime, datetime, Counter[str]]] = field(default_factory=list)
    known: datetime = LONG_AGO
    numbers: int = 0

    # Reading

    def at(self, when: datetime) -> "Holding":
        """The same member at `when`, if nothing else happens until then."""
        later = deepcopy(self)
        later.settle(when)
        return later

    def sums(self, as_of: datetime = FOR_EVER, known_at: datetime = FOR_EVER) -> dict[str, int]:
        """What there was at an instant, by what was known at another."""
        total: Counter[str] = Counter()
        for happened, known, change in self.journal:
            if happened <= as_of and known <= known_at:
                total.update(change)
        return {name: total[name] for name in BUCKETS}

    @property
    def has_open_dates(self) -> bool:
        """Whether the end of some points depended on what happened: what was once expected of them is not kept."""
        return any(lot.lasting is not None or lot.missed_at is not None for lot in self.lots)

    @property
    def buckets(self) -> dict[str, int]:
        """What there is, by the lists."""
        return {"available": self.available, "pending": self.pending, "held": self.held, "debt": self.owed}

    @property
    def available(self) -> int:
        return sum(lot.points for lot in self.lots if not lot.waits)

    @property
    def pending(self) -> int:
        return sum(lot.points for lot in self.lots if lot.waits)

    @property
    def held(self) -> int:
        return sum(lot.held for lot in self.lots)

    @property
    def owed(self) -> int:
        return sum(debt.points for debt in self.debts)

    def maturing(self, now: datetime) -> dict[datetime, int]:
        """What becomes available when."""
        listed: Counter[datetime] = Counter()
        for lot in self.lots:
            if lot.waits and lot.matures_at and lot.matures_at > now:
                listed[lot.matures_at] += lot.points
        return dict(sorted((+listed).items()))

    def expiring(self, now: datetime) -> dict[datetime, int]:
        """What will be gone when."""
        listed: Counter[datetime] = Counter()
        for lot in self.lots:
            if now < self.gone_at(lot) < FOR_EVER:
                listed[self.gone_at(lot)] += lot.points
        return dict(sorted((+listed).items()))

    def gone_at(self, lot: Lot) -> datetime:
        if lot.lasting is None:
            return lot.gone_at
        return FOR_EVER if lot.waits or lot not in self.lots else self.clocks.get(lot.lasting, LONG_AGO)

    def spendable(self) -> list[Lot]:
        """In the order of consumption."""
        usable = [lot for lot in self.lots if lot.points and not lot.waits]
        return sorted(usable, key=lambda lot: (self.gone_at(lot), lot.earned_at, lot.number))

    def next_events(self) -> list[tuple[datetime, int, int, object]]:
        """All that will happen by itself: when, what, and to what."""
        events: list[tuple[datetime, int, int, object]] = []
        for lot in self.lots:
            if not lot.points:
                continue
            if lot.waits and lot.matures_at:
                events.append((lot.matures_at, MATURES, lot.number, lot))
            elif lot.waits and lot.missed_at:
                events.append((lot.missed_at, IS_MISSED, lot.number, lot))
            elif not lot.waits:
                what = LAPSES if lot.lasting is None else IDLES
                events.append((self.gone_at(lot), what, lot.number, lot))
        events += [(hold.ends_at, TIMES_OUT, n, hold) for n, hold in enumerate(self.holds.values()) if hold.open]
        return [event for event in events if event[0] < FOR_EVER]

    # What happens by itself

    def settle(self, until: datetime) -> None:
        """Let everything happen that happens by itself until then."""
        while events := [event for event in self.next_events() if event[0] <= until]:
            when, what, _, subject = min(events, key=lambda event: event[:3])
            if what == MATURES:
                self.mature(subject, when, when)
            elif what == TIMES_OUT:
                self.end(subject, when)
            elif what == IS_MISSED:
                self.note(when, when, pending=-subject.points, lifetime_earned=-subject.points)
                subject.points = 0
            else:
                self.lapse(subject, when, when)
        self.put_away(until)

    def mature(self, lot: Lot, when: datetime, known: datetime) -> None:
        lot.waits, lot.matures_at = False, when
        if lot.lasting is not None and lot.lasting.while_active:
            self.keep(lot.lasting, lot.lasting.until(when, self.zone))
        elif lot.lasting is not None:
            lot.gone_at, lot.lasting = lot.lasting.until(when, self.zone), None
        self.note(when, known, pending=-lot.points, available=lot.points)
        self.pay(lot, when, known)

    def lapse(self, lot: Lot, when: datetime, known: datetime) -> None:
        self.note(when, known, available=-lot.points)
        lot.lapsed, lot.lapsed_at, lot.points = lot.lapsed + lot.points, when, 0

    def pay(self, lot: Lot, when: datetime, known: datetime) -> None:
        """What can be spent pays what is owed, the oldest first; not before it was owed, nor after it is gone."""
        for debt in self.debts:
            at = max(when, debt.since)
            if not lot.waits and self.gone_at(lot) > at and (points := min(lot.points, debt.points)):
                lot.points -= points
                debt.points -= points
                self.note(at, known, available=-points, debt=-points)

    # What the member does

    def earn(self, points: int, promise: Promise, placed_at: datetime, now: datetime) -> Lot:
        """An order placed at some time is heard of `now`. It was activity when it was placed."""
        self.settle(self.news_from(placed_at, now))
        self.put_away(now)
        self.stir(placed_at)
        lot = self.open(points, placed_at, placed_at, now, earned=True, **life(promise, placed_at, self.zone))
        self.settle(now)
        return lot

    def news_from(self, at: datetime, now: datetime) -> datetime:
        """Until when things happened as they did: news may have kept from lapsing what lapsed for want of them."""
        for when, what, _, _ in self.next_events():
            if what in (IDLES, IS_MISSED) and when <= now:
                return min(at, now)
        return now

    def confirm(self, order: Order, at: datetime, now: datetime) -> None:
        self.settle(self.news_from(at, now))
        self.put_away(now)
        for lot in self.lots:
            if lot.award is order.lot.award and lot.waits and lot.matures_at is None and lot.points:
                self.mature(lot, max(at, lot.earned_at), now)
        self.settle(now)

    def spend(self, points: int, now: datetime) -> None:
        self.take(points, now, available=-points, lifetime_spent=points)
        self.stir(now)

    def hold(self, name: str, points: int, now: datetime, ends_at: datetime) -> None:
        pieces = self.take(points, now, available=-points, held=points)
        for lot, part in pieces:
            lot.held += part
        self.holds[name] = Hold(pieces, ends_at)

    def capture(self, name: str, points: int, now: datetime) -> list[tuple[Lot, int]]:
        return self.end(self.holds[name], now, spent=points)

    def end(self, hold: Hold, when: datetime, *, spent: int = 0) -> list[tuple[Lot, int]]:
        """End a hold; what is not spent goes back to its lots, and is gone if these are. Answers what was spent."""
        hold.open = False
        pieces = sorted(hold.pieces, key=lambda piece: (self.gone_at(piece[0]), piece[0].earned_at, piece[0].number))
        if spent:
            self.note(when, when, held=-spent, lifetime_spent=spent)
            self.stir(when)
        used = []
        back = []
        for lot, part in pieces:
            used_up = min(spent, part)
            spent -= used_up
            lot.held -= part
            lot.points += part - used_up
            used += [(lot, used_up)] if used_up else []
            back += [(lot, part - used_up)] if part > used_up else []
        rest = sum(part for _, part in back)
        self.note(when, when, available=rest, held=-rest)
        for lot, _ in back:
            if self.gone_at(lot) <= when:
                self.lapse(lot, when, when)
            self.pay(lot, when, when)
        return used

    def adjust(self, points: int, lasting: Lasting, now: datetime) -> None:
        if points < 0:
            self.take(-points, now, available=points)
        else:
            self.open(points, now, now, now, **life(Promise(lasting), now, self.zone))

    def reinstate(self, lot: Lot, points: int, now: datetime, gone_at: datetime) -> None:
        lot.brought_back += points
        self.open(points, lot.earned_at, now, now, gone_at=gone_at, award=lot.award, by_hand=True)

    def transfer(self, other: "Holding", points: int, now: datetime) -> None:
        """Points keep the date on which they are gone, whoever has them."""
        by_date: dict[datetime, list[tuple[int, datetime]]] = {}
        dates = {lot.number: self.gone_at(lot) for lot in self.lots}
        for lot, part in self.take(points, now, available=-points):
            by_date.setdefault(dates[lot.number], []).append((part, lot.earned_at))
        for gone_at, parts in by_date.items():
            other.open(sum(n for n, _ in parts), min(at for _, at in parts), now, now, gone_at=gone_at)

    def give_back(self, order: Order, now: datetime, grace_until: datetime | None) -> None:
        """The share of what was spent on an order that belongs to the units returned so far."""
        total = sum(points for _, points in order.spent)
        wanted = total * order.returned // order.units - sum(order.given_back.values())
        longest_first = sorted(enumerate(order.spent), key=lambda n: (self.gone_at(n[1][0]), n[1][0].number))[::-1]
        alive: list[tuple[Lot, int]] = []
        elsewhere: list[tuple[Lot, int]] = []
        for place, (lot, points) in longest_first:
            part = min(wanted, points - order.given_back[place])
            wanted -= part
            order.given_back[place] += part
            if part:
                (alive if lot in self.lots and self.gone_at(lot) > now else elsewhere).append((lot, part))
        for lot, part in alive:
            lot.points += part
            self.note(now, now, available=part, lifetime_spent=-part)
        for lot, _ in alive:
            self.pay(lot, now, now)
        for lot, part in elsewhere:
            given = {"award": lot.award, "spent": True}
            if lot not in self.lots and lot.gone_at > now:  # of a member who was merged into this one
                self.open(part, lot.earned_at, now, now, gone_at=lot.gone_at, lasting=lot.lasting, **given)
            elif grace_until:
                self.open(part, lot.earned_at, now, now, gone_at=grace_until, **given)

    def take_back(self, order: Order, points: int, now: datetime, *, most_owed: int) -> None:
        """What an order earned: where it is, else from what there is, else as a debt; what lapsed is gone already."""
        own = [lot for lot in self.lots if lot.award == order.lot.award]
        if all(lot.waits for lot in own):
            taken = sum(self.remove(own, points).values())
            self.note(now, now, pending=-taken, lifetime_earned=-taken)
            order.found_lapsed += points - taken
            return
        numbers = {lot.number for lot in own}
        mine = [lot for lot in self.spendable() if lot.number in numbers]
        taken = sum(self.remove(mine, points).values())
        lapsed = sum(lot.lapsed for lot in own) - sum(lot.points_by_hand for lot in own) - order.found_lapsed
        lapsed = min(points - taken, max(0, lapsed))
        order.found_lapsed += lapsed
        others = [lot for lot in self.spendable() if lot.number not in numbers]
        taken += sum(self.remove(others, points - taken - lapsed).values())
        # What is on hold is not gone, and pays when it is free.
        owed = min(points - taken - lapsed, max(0, max(most_owed, self.held) - self.owed))
        self.note(now, now, available=-taken, debt=owed, lifetime_earned=-taken - owed)
        if owed:
            self.debts.append(Debt(owed, now))

    def merge_into(self, other: "Holding", now: datetime) -> None:
        """All that is held and owed moves; each lot keeps its life, and nobody's time to spend becomes shorter."""
        lived = self.sums()
        other.note(now, now, **{name: lived[name] for name in ("lifetime_earned", "lifetime_spent")})
        for lot in [lot for lot in self.lots if lot.points]:
            self.note(now, now, **{"pending" if lot.waits else "available": -lot.points})
            if lot.lasting is not None and not lot.waits:
                other.keep(lot.lasting, self.clocks[lot.lasting])
            life = {
                name: getattr(lot, name) for name in ("gone_at", "waits", "matures_at", "missed_at", "lasting", "award")
            }
            other.open(lot.points, lot.earned_at, now, now, **life)
            lot.points = 0
        for debt in self.debts:
            self.note(now, now, debt=-debt.points)
            other.note(now, now, debt=debt.points)
            other.debts += [Debt(debt.points, now)] if debt.points else []
            debt.points = 0
        for lot in other.spendable():
            other.pay(lot, now, now)

    # Keeping the lists

    def open(
        self, points: int, earned_at: datetime, at: datetime, now: datetime, *, earned: bool = False,
        spent: bool = False, by_hand: bool = False, award: object = None, **life: object,
    ) -> Lot:  # fmt: skip
        """A new lot, which pays what is owed."""
        self.numbers += 1
        lot = Lot(self.numbers, points, earned_at, award=award or object(), **life)
        lot.points_by_hand = points if by_hand else 0
        lot.waits = lot.waits and (lot.matures_at is None or lot.matures_at > at)
        self.lots.append(lot)
        if lot.lasting is not None and not lot.waits and self.clocks.get(lot.lasting, LONG_AGO) <= at:
            self.clocks[lot.lasting] = lot.lasting.until(at, self.zone)
        earned_points, spent_points = points if earned else 0, points if spent else 0
        bucket = "pending" if lot.waits else "available"
        self.note(at, now, **{bucket: points}, lifetime_earned=earned_points, lifetime_spent=-spent_points)
        self.pay(lot, at, now)
        return lot

    def take(self, points: int, now: datetime, **change: int) -> list[tuple[Lot, int]]:
        """Take points that can be spent."""
        if self.available < points:
            raise Refused
        lots = self.spendable()
        taken = self.remove(lots, points)
        self.note(now, now, **change)
        return [(lot, taken[lot.number]) for lot in lots if taken[lot.number]]

    def remove(self, lots: list[Lot], points: int) -> Counter[int]:
        taken: Counter[int] = Counter()
        for lot in lots:
            taken[lot.number] = min(points, lot.points)
            lot.points -= taken[lot.number]
            points -= taken[lot.number]
        return taken

    def stir(self, at: datetime) -> None:
        """Activity moves the end of all points that have not lapsed for want of it."""
        for lasting, gone_at in self.clocks.items():
            if gone_at > at:
                self.keep(lasting, lasting.until(at, self.zone))

    def keep(self, lasting: Lasting, until: datetime) -> None:
        self.clocks[lasting] = max(until, self.clocks.get(lasting, LONG_AGO))

    def put_away(self, now: datetime) -> None:
        """Forget the clocks that have run out, if nothing is left to lapse by them."""
        used = {lot.lasting for lot in self.lots if lot.points and not lot.waits}
        self.clocks = {lasting: at for lasting, at in self.clocks.items() if at > now or lasting in used}

    def note(self, happened: datetime, known: datetime, **change: int) -> None:
        """Write down a change. What happened by itself was known at once, but nothing is known before what precedes."""
        self.known = max(self.known, known)
        self.journal.append((happened, self.known, Counter(change)))
