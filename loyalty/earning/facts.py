"""What the rules in force ask about members, read in one statement; none where they ask nothing."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from psycopg.rows import dict_row

from loyalty.db.session import Session, array_of
from loyalty.earning.domain import NO_HABITS, UNKNOWN, Count, Facts
from loyalty.earning.rules import Needs
from loyalty.features.domain import SUMMED, Buying, Habits, cuts_from
from loyalty.offers import queries as offers
from loyalty.offers.domain import NO_OFFERS, Assignment, OfferSets
from loyalty.offers.holding import HELD, held_from
from loyalty.programs import queries as programs
from loyalty.programs.domain import Program
from loyalty.rules.history import History, Purchases, Sums
from loyalty.tiers import queries as tiers
from loyalty.tiers import reading
from loyalty.tiers.domain import Ladders
from loyalty.tiers.reading import Asked
from loyalty.tiers.standing import Standing

# Counts are looked up one by one, by their key: a member may have many, of rules and periods long gone. OFFSET 0 keeps
# the planner from reading them all.
_FACTS = """
SELECT m.member_id, m.enrolled_at, m.birth_date, m.locale, m.referred_by IS NOT NULL AS referred,{beside}
  CASE WHEN %(attributes)s THEN m.attributes END AS attributes, h.orders, h.quantity, h.spend, h.last_at,
  (SELECT json_agg(json_build_array(c.category, c.orders, c.quantity, c.spend, c.last_at))
   FROM category_histories c WHERE c.member_id = m.member_id{categories}) AS categories,
  (SELECT json_agg(json_build_array(n.rule_code, n.period, n.points, n.times, n.last_at))
   FROM unnest(%(codes)s::text[], %(periods)s::text[]) AS w (rule_code, period) CROSS JOIN LATERAL (
     SELECT * FROM rule_counts n
     WHERE n.member_id = m.member_id AND n.rule_code = w.rule_code AND n.period = w.period OFFSET 0) n
  ) AS counts{habits}{offers}{standing}
FROM members m LEFT JOIN purchase_histories h ON h.member_id = m.member_id{features}{wanted}
WHERE m.member_id = ANY(%(ids)s::uuid[])
"""
# The offers that an order of `offers_since` or later may redeem: also what has ended since.
_OFFERS = f""",
  (SELECT json_agg(json_build_array({HELD})) FROM assignments a
   WHERE a.member_id = m.member_id AND a.earns AND a.status IN ('activated', 'expired')
     AND a.valid_to > %(offers_since)s AND a.activated_at IS NOT NULL) AS offers
"""
# The cut points of the newest finished count lie beside its long document, which is not read.
_HABITS = """,
  f.orders AS f_orders, f.spend AS f_spend, f.gross AS f_gross, f.visits AS f_visits, f.worth AS f_worth,
  f.first_at AS f_first_at, f.last_at AS f_last_at, f.redeemed AS f_redeemed,
  (SELECT s.cuts FROM feature_statistics s WHERE s.program_id = m.program_id AND s.finished_at IS NOT NULL
   ORDER BY s.version DESC LIMIT 1) AS cuts"""
_FEATURES = " LEFT JOIN member_features f ON f.member_id = m.member_id"
_NAMED = " AND c.category = ANY(%(categories)s::text[])"


@lru_cache
def _statement(*, all_categories: bool, features: bool, offers: bool, tiers: bool, beside: str = "") -> str:
    return _FACTS.format(
        habits=_HABITS if features else "",
        features=_FEATURES if features else "",
        offers=_OFFERS if offers else "",
        categories="" if all_categories else _NAMED,
        standing=f", {reading.COLUMNS}" if tiers else "",
        wanted=f" JOIN {reading.WANTED} ON w.member_id = m.member_id" if tiers else "",
        beside=f" {beside}," if beside else "",
    )


@dataclass(frozen=True, slots=True)
class Wanted:
    """What has to be known: of all rule sets that judge a batch together. `counts` are rule codes with periods.

    `offers_since`: when the oldest order was placed that may redeem offers; None: none may.
    """

    member: bool = False
    all_attributes: bool = False
    attributes: frozenset[str] = frozenset()
    history: bool = False
    all_categories: bool = False
    categories: frozenset[str] = frozenset()
    counts: frozenset[tuple[str, str]] = frozenset()
    features: bool = False
    offers_since: datetime | None = None

    def __or__(self, other: "Wanted") -> "Wanted":
        return Wanted(
            self.member or other.member,
            self.all_attributes or other.all_attributes,
            self.attributes | other.attributes,
            self.history or other.history,
            self.all_categories or other.all_categories,
            self.categories | other.categories,
            self.counts | other.counts,
            self.features or other.features,
            min((at for at in (self.offers_since, other.offers_since) if at is not None), default=None),
        )

    @property
    def anything(self) -> bool:
        """Whether anybody has to be looked up at all."""
        asked = self.member or self.history or self.features or bool(self.counts)
        return asked or self.offers_since is not None

    @classmethod
    def by(cls, needs: Needs, counts: Iterable[tuple[str, str]] = ()) -> "Wanted":
        """What conditions ask, with the counts of rules."""
        return cls(
            needs.member, needs.all_attributes, frozenset(needs.attributes), needs.history, needs.all_categories,
            frozenset(needs.categories), frozenset(counts), needs.features,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Beside:
    """What somebody reads along of a member `m`: a column, in SQL, and its parameters."""

    column: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Known:
    """What rules ask about members, and where members stand on the program's ladder; what was read along, if it was.

    `held`: the offers that orders may redeem, of the sets in `offers`.
    """

    facts: Mapping[UUID, Facts]
    standings: Mapping[UUID, Standing]
    held: Mapping[UUID, tuple[Assignment, ...]] = field(default_factory=dict)
    offers: OfferSets = NO_OFFERS
    beside: Mapping[UUID, Any] = field(default_factory=dict)


def facts_of(session: Session, member_ids: Sequence[UUID], wanted: Wanted) -> dict[UUID, Facts]:
    """What is known of members, but for their tiers. No statement where nothing is wanted."""
    if not wanted.anything:
        return dict.fromkeys(member_ids, UNKNOWN)
    statement = _statement(all_categories=wanted.all_categories, features=wanted.features, offers=False, tiers=False)
    rows = session.rows(statement, _parameters(member_ids, wanted), into=dict_row)
    return {row["member_id"]: _facts(row, wanted) for row in rows}


def known_of(
    session: Session, asked: Sequence[Asked], wanted: Wanted, ladders: Ladders, *, now: datetime,
    sets: OfferSets = NO_OFFERS, beside: Beside | None = None,
) -> Known:  # fmt: skip
    """What is known of members, and where they stand, in one statement; none where nothing is asked."""
    member_ids = [each.member_id for each in asked]
    held = wanted.offers_since is not None
    if beside is None and not ladders.any and not held:
        return Known(facts_of(session, member_ids, wanted), reading.standings_from({}, ladders, asked, now=now))
    if beside is None and not wanted.anything:
        return Known(dict.fromkeys(member_ids, UNKNOWN), reading.standings(session, ladders, asked, now=now))
    where = _parameters(member_ids, wanted)
    where |= reading.parameters(ladders, asked, now=now) if ladders.any else {}
    where |= beside.parameters if beside else {}
    column = beside.column if beside else ""
    statement = _statement(
        all_categories=wanted.all_categories, features=wanted.features, offers=held, tiers=ladders.any, beside=column
    )
    rows = {row["member_id"]: row for row in session.rows(statement, where, into=dict_row)}
    return Known(
        {member_id: _facts(row, wanted) for member_id, row in rows.items()},
        reading.standings_from(rows if ladders.any else {}, ladders, asked, now=now),
        {member_id: held_from(member_id, row["offers"] or ()) for member_id, row in rows.items()} if held else {},
        sets,
        {member_id: row["beside"] for member_id, row in rows.items()} if beside else {},
    )


def known_now(
    session: Session, program: Program, asked: Sequence[Asked], wanted: Wanted, *, now: datetime,
    beside: Beside | None = None,
) -> tuple[Known, Ladders]:  # fmt: skip
    """`known_of`, by the ladders there are, even one that was published while a lock was waited for."""
    ladders, sets = tiers.ladders(session, program), offers.offer_sets(session, program)
    if not sets.any:
        wanted = replace(wanted, offers_since=None)
    known = known_of(session, asked, wanted, ladders, now=now, sets=sets, beside=beside)
    if any(standing.outdated for standing in known.standings.values()):
        # The holder of the lock has moved the member to it already.
        ladders = tiers.ladders(session, programs.load(session, program.program_id))
        known = known_of(session, asked, wanted, ladders, now=now, sets=sets, beside=beside)
    return known, ladders


def _parameters(member_ids: Sequence[UUID], wanted: Wanted) -> dict[str, Any]:
    codes, periods = zip(*sorted(wanted.counts), strict=True) if wanted.counts else ((), ())
    return {
        "ids": array_of(member_ids), "codes": array_of(codes),
        "attributes": wanted.all_attributes or bool(wanted.attributes),
        "offers_since": wanted.offers_since, "periods": array_of(periods),
        "categories": array_of(sorted(wanted.categories)),
    }  # fmt: skip


def _facts(row: Mapping[str, Any], wanted: Wanted) -> Facts:
    total = Purchases()
    if row["orders"] is not None:
        total = Purchases(Sums(row["orders"], row["quantity"], row["spend"]), row["last_at"])
    about = ("enrolled_at", "birth_date", "locale", "referred") if wanted.member else ()
    attributes = row["attributes"] or {}
    if not wanted.all_attributes:
        # What is known is kept with the order: no more than what was asked for.
        attributes = {name: attributes[name] for name in sorted(wanted.attributes) if name in attributes}
    return Facts(
        **{name: row[name] for name in about},
        attributes=attributes,
        history=History(total, dict(_categories(row["categories"] or ()))) if wanted.history else History(),
        habits=_habits(row) if wanted.features else NO_HABITS,
        counts={(code, p): Count(n, times, _instant(at)) for code, p, n, times, at in row["counts"] or ()},
    )


def _habits(row: Mapping[str, Any]) -> Habits:
    """As far as conditions ask: some of the sums are asked for only where offers are ranked."""
    buying = Buying()
    if row["f_orders"] is not None:
        buying = Buying(**{name: row[f"f_{name}"] for name in SUMMED})
    return Habits(buying, cuts_from(row["cuts"]))


def _categories(found: Iterable[Sequence[Any]]) -> Iterable[tuple[str, Purchases]]:
    for path, orders, quantity, spend, last_at in found:
        yield path, Purchases(Sums(orders, quantity, spend), _instant(last_at))


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
