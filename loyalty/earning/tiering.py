"""What a member's tier changes about what they earn, and what that, and what they bought, makes of the tier. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache

from loyalty.earning.domain import Facts, Judgement, Occasion, Purchase, TierTerms
from loyalty.earning.rules import EarningRule
from loyalty.programs.domain import POINTS
from loyalty.rules.history import Contribution
from loyalty.tiers.domain import NOTHING, Amounts, Ladder, Ladders, Tier
from loyalty.tiers.standing import News, Standing, count, settle, tier_at

# No code of a rule has a colon, so no rule is mistaken for that of a tier.
PREFIX = "tier:"
# After every rule of the program: priorities of theirs end far below.
LAST = 2**31 - 1


def terms_of(tier: Tier, ladder: Ladder) -> TierTerms | None:
    """What a tier changes; None for one that changes nothing."""
    benefits = tier.benefits
    if benefits.multiplier == 1 and benefits.expiry is None:
        return None
    return TierTerms(ladder.version, benefits.multiplier, benefits.expiry)


def tier_rule(facts: Facts) -> EarningRule | None:
    """The multiplier of a member's tier as a rule: its awards name the tier, and the version of the ladder."""
    if facts.tier is None or facts.tier_terms is None or facts.tier_terms.multiplier == 1:
        return None
    return _rule(facts.tier, facts.tier_terms)


@lru_cache(maxsize=1024)
def _rule(tier: str, terms: TierTerms) -> EarningRule:
    code = f"{PREFIX}{tier}"
    return EarningRule(
        code=code, version=terms.ladder_version, priority=LAST, kind="multiplier", factor=terms.multiplier
    )


@dataclass(frozen=True, slots=True)
class TierChange:
    """The tier that a member has now, and which it was before, if that was another one."""

    code: str
    changed_from: str | None


def change_of(before: Standing, after: Standing) -> TierChange | None:
    """What became of a member's tier; None where there are none."""
    if after.tier is None:
        return None
    return TierChange(after.tier, before.tier if before.tier != after.tier else None)


def with_tier(
    standing: Standing, facts: Facts, ladders: Ladders, at: datetime, *, now: datetime
) -> tuple[Standing, Facts]:
    """The standing as of `now`, and facts with the tier of `at`: what comes late is judged by the tier of then."""
    if not ladders.any:
        return standing, facts
    standing = settle(standing, ladders, now=now)
    held = tier_at(standing, ladders, at)
    if held is None:
        return standing, facts
    tier, ladder = held
    return standing, replace(facts, tier=tier.code, tier_terms=terms_of(tier, ladder))


def amounts_of(judgement: Judgement, added: Contribution) -> Amounts:
    """What of an occasion counts for tiers."""
    points = sum(award.points for award in judgement.awards if award.unit == POINTS)
    return Amounts(added.total.spend, points, added.total.orders)


def counted_for_tier(
    standing: Standing, ladders: Ladders, occasion: Occasion, amounts: Amounts, *, reference: str | None, now: datetime
) -> Standing:
    """The standing after an occasion: with what was spent, ordered, and given in points by rules."""
    if amounts == NOTHING:
        return settle(standing, ladders, now=now)
    cause = "order" if isinstance(occasion, Purchase) else "activity"
    return count(standing, ladders, News(occasion.at, amounts, cause, reference), now=now)
