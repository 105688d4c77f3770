"""What availability depends on, read of one member in one statement; none where the rewards ask nothing."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from loyalty.db.session import Session, array_of
from loyalty.earning.domain import UNKNOWN, Moment
from loyalty.earning.facts import Beside, Wanted, known_now
from loyalty.earning.queries import rules_at
from loyalty.earning.situation import Situation
from loyalty.programs.domain import Program
from loyalty.rewards.availability import Asking, period_begin
from loyalty.rewards.catalogue import Catalogue
from loyalty.rewards.domain import PERIODS, Reward
from loyalty.tiers import queries as tiers
from loyalty.tiers.domain import Ladders, Tier
from loyalty.tiers.reading import Asked
from loyalty.tiers.standing import Standing, settle, tier_at

# How often a member had rewards in periods, those of members who were merged into this one included; of each no more
# than the limit has to be counted. What was held and not confirmed in time does not count, recorded or not. The inner
# LIMIT also keeps the planner from looking for the rewards among all members, however many it takes `mine` to be.
_HAD = """
(WITH RECURSIVE mine (member_id) AS (
    SELECT m.member_id
    UNION ALL
    SELECT s.member_id FROM mine JOIN members s ON s.merged_into = mine.member_id)
 SELECT json_agg(json_build_array(w.code, w.period, c.times))
 FROM unnest(%(had_codes)s::text[], %(had_periods)s::text[], %(had_most)s::bigint[]) AS w (code, period, most)
 JOIN unnest(%(had_names)s::text[], %(had_begins)s::timestamptz[]) AS p (period, since) USING (period)
 CROSS JOIN LATERAL (SELECT count(*) AS times FROM (
   SELECT FROM mine CROSS JOIN LATERAL (
     SELECT FROM redemptions r
     WHERE r.member_id = mine.member_id AND r.reward_code = w.code AND r.redeemed_at >= p.since
       AND r.status IN ('held', 'confirmed', 'fulfilled') AND (r.status <> 'held' OR r.expires_at > %(had_now)s)
     LIMIT w.most) each
   LIMIT w.most) counted) c
 WHERE c.times > 0) AS beside
"""
_EVER = "-infinity"


@dataclass(frozen=True, slots=True)
class Who:
    """A member who asks for rewards; `available`: how many points there are to spend, if that is known yet."""

    member_id: UUID
    enrolled_at: datetime
    available: int = 0


def asking(
    session: Session, program: Program, who: Who, catalogue: Catalogue, *, whole: bool = False, now: datetime
) -> Asking:
    """What the availability of the rewards of a catalogue depends on, for one member.

    The member's tier is known as far as it makes a difference to them; `whole`: in any case.
    """
    if catalogue.named_segments:
        catalogue = catalogue.within(rules_at(session, program, now))
    wanted = Wanted.by(catalogue.needs)
    had = _limited(catalogue, program, now)
    ladders, standing, facts, counted = Ladders((), program.time_zone), None, UNKNOWN, None
    if had is not None or wanted.anything or whole or _concerns_tier(session, program, catalogue, now):
        asked = [Asked(who.member_id, who.enrolled_at, now)]
        known, ladders = known_now(session, program, asked, wanted, now=now, beside=had)
        standing = known.standings.get(who.member_id)
        facts, counted = known.facts.get(who.member_id, UNKNOWN), known.beside.get(who.member_id)
    tier = _tier(standing, ladders, now)
    facts = replace(facts, tier=tier.code if tier else None)
    in_force = ladders.at(now)
    situation = Situation(Moment(now), catalogue, program, facts)
    return Asking(
        at=now,
        zone=program.time_zone,
        available=who.available,
        tier=tier,
        tiers=tuple(each.code for each in in_force.tiers) if in_force else (),
        had={(code, period): times for code, period, times in counted or ()},
        environment=situation.environment,
        belongs=situation.belongs,
    )


def _tier(standing: Standing | None, ladders: Ladders, now: datetime) -> Tier | None:
    if standing is None:
        return None
    found = tier_at(settle(standing, ladders, now=now), ladders, now)
    return found[0] if found else None


def _concerns_tier(session: Session, program: Program, catalogue: Catalogue, now: datetime) -> bool:
    """Whether the member's tier makes a difference to any of the rewards."""
    return tiers.ladders(session, program).any and any(_of_tier(each, now) for each in catalogue.rewards.values())


def _of_tier(reward: Reward, now: datetime) -> bool:
    early = reward.early_access and reward.valid_from is not None and now < reward.valid_from
    return bool(reward.tiers or reward.points_by_tier or early)


def _limited(catalogue: Catalogue, program: Program, now: datetime) -> Beside | None:
    """The statement's part that counts what limits limit; None where there are none."""
    limits = catalogue.limits
    if limits is None:
        return None
    begins = [period_begin(period, now, program.time_zone) or _EVER for period in PERIODS]
    return Beside(
        _HAD,
        {
            "had_codes": limits.codes,
            "had_periods": limits.periods,
            "had_most": limits.most,
            "had_names": array_of(PERIODS),
            "had_begins": array_of(begins),
            "had_now": now,
        },
    )
