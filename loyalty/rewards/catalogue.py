"""The catalogue: remembered by the configuration version of its program; what is left of rewards is always read."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from psycopg.rows import dict_row, scalar_row

from loyalty.db.session import Session, array_of
from loyalty.earning.rules import Needs, RuleSet, needs_of
from loyalty.programs.domain import Program
from loyalty.rewards import stock
from loyalty.rewards.domain import NewReward, Reward
from loyalty.rewards.errors import RewardDraftNotFound, RewardNotFound, RewardVersionNotFound
from loyalty.rewards.storing import new_reward_from, reward_from
from loyalty.rules.expressions import Condition

_REWARD = """
SELECT r.program_id, r.code, r.version, r.withdrawn, r.content, r.stock,
  EXISTS (SELECT FROM reward_drafts d WHERE d.program_id = r.program_id AND d.code = r.code AND d.content IS NOT NULL)
  AS drafted
FROM rewards r
"""
_ALL = f"{_REWARD} WHERE r.program_id = %(program_id)s"
# With those that were never published: their version is 0.
_WITH_DRAFTS = f"""
{_ALL}
UNION ALL
SELECT d.program_id, d.code, 0, false, d.content, d.stock, true FROM reward_drafts d
WHERE d.program_id = %(program_id)s AND d.content IS NOT NULL
AND NOT EXISTS (SELECT FROM rewards r WHERE r.program_id = d.program_id AND r.code = d.code)
ORDER BY code
"""
_ONE = f"{_REWARD} WHERE r.program_id = %s AND r.code = %s"
_VERSION = "SELECT version FROM rewards WHERE program_id = %s AND code = %s"
_VERSIONS = """
SELECT version, withdrawn, content, stock, published_at, published_by FROM reward_versions
WHERE program_id = %s AND code = %s ORDER BY version DESC
"""
_DRAFT = "SELECT version, content, stock FROM reward_drafts WHERE program_id = %s AND code = %s"


@dataclass(frozen=True, slots=True)
class Limits:
    """How often a member may have rewards: the codes, the periods and the numbers, as a statement takes them."""

    codes: str
    periods: str
    most: str


@dataclass(frozen=True)
class Catalogue:
    """The rewards that can be had, or could be, by code. What is left of them is not known here.

    `segment_conditions`: of the segments there are, if any reward names one (`within`).
    """

    rewards: Mapping[str, Reward]
    segment_conditions: Mapping[str, Condition] = field(default_factory=dict)

    @cached_property
    def needs(self) -> Needs:
        """What must be known of a member to answer all conditions."""
        asked = {each.condition for each in self.rewards.values() if each.condition is not None}
        found = (self.segment_conditions.get(code) for code in self.named_segments)
        return needs_of(asked | {each for each in found if each is not None})

    @cached_property
    def named_segments(self) -> frozenset[str]:
        """The codes of the segments that rewards are for."""
        return frozenset(code for reward in self.rewards.values() for code in reward.segments)

    @cached_property
    def limits(self) -> Limits | None:
        """The limits of all rewards, written down once; None where there are none."""
        found = [(code, *limit) for code, reward in self.rewards.items() for limit in reward.limits.items()]
        if not found:
            return None
        return Limits(*(array_of(column) for column in zip(*found, strict=True)))

    def within(self, rule_set: RuleSet) -> "Catalogue":
        """The same with the segments there are under rules; made once for each rules."""
        if rule_set.version not in self._within:
            self._within[rule_set.version] = Catalogue(self.rewards, rule_set.segment_conditions)
        return self._within[rule_set.version]

    @cached_property
    def _within(self) -> dict[int, "Catalogue"]:
        return {}

    def only(self, reward: Reward) -> "Catalogue":
        """The catalogue as if there was but one reward: nothing is looked up for the sake of others."""
        return Catalogue({reward.code: reward})


_remembered: dict[UUID, tuple[int, Catalogue]] = {}


def catalogue(session: Session, program: Program) -> Catalogue:
    """What is published now. No statement while the configuration stays as it is."""
    known = _remembered.get(program.program_id)
    if known is None or known[0] != program.config_version:
        rows = session.rows(_ALL, {"program_id": program.program_id}, into=dict_row)
        found = Catalogue({row["code"]: reward_from(row) for row in rows if not row["withdrawn"]})
        known = _remembered[program.program_id] = (program.config_version, found)
    return known[1]


def published(session: Session, program: Program, code: str) -> Reward:
    """One reward that can be had. Refuses: RewardNotFound."""
    found = catalogue(session, program).rewards.get(code)
    if found is None:
        raise RewardNotFound(code)
    return found


def at_version(session: Session, program: Program, code: str, number: int) -> NewReward:
    """A reward as it was when it was redeemed. No statement while that is the current version."""
    current = catalogue(session, program).rewards.get(code)
    if current is not None and current.version == number:
        return current
    found: NewReward = version(session, program.program_id, code, number)["reward"]
    return found


def reward(session: Session, program_id: UUID, code: str, *, now: datetime) -> Reward:
    """One reward as it is now, withdrawn or not, with what is left of it. Refuses: RewardNotFound."""
    row = session.row(_ONE, (program_id, code), into=dict_row)
    if row is None:
        raise RewardNotFound(code)
    return replace(reward_from(row), left=stock.left(session, program_id, now=now, codes=[code]).get(code))


def rewards(session: Session, program_id: UUID, *, now: datetime) -> list[Reward]:
    """All rewards of a program, by code, each with what is left of it: withdrawn ones and mere drafts, too."""
    left = stock.left(session, program_id, now=now)
    rows = session.rows(_WITH_DRAFTS, {"program_id": program_id}, into=dict_row)
    return [replace(reward_from(row), left=left.get(row["code"])) for row in rows]


def version_of(session: Session, program_id: UUID, code: str) -> int:
    """The current version of a reward; 0 when there never was one."""
    return session.row(_VERSION, (program_id, code), into=scalar_row) or 0


def versions(session: Session, program_id: UUID, code: str) -> list[dict[str, Any]]:
    """A reward as it was published, or withdrawn, each time, newest first. Refuses: RewardNotFound."""
    rows = session.rows(_VERSIONS, (program_id, code), into=dict_row)
    if not rows:
        raise RewardNotFound(code)
    return [_told(row) for row in rows]


def version(session: Session, program_id: UUID, code: str, number: int) -> dict[str, Any]:
    """A reward as it was published once. Refuses: RewardNotFound, RewardVersionNotFound."""
    found = next((each for each in versions(session, program_id, code) if each["version"] == number), None)
    if found is None:
        raise RewardVersionNotFound(code, number)
    return found


@dataclass(frozen=True, slots=True)
class RewardDraft:
    """The next version of a reward. Not `begun`: the one published now, to begin from; None: there is nothing yet."""

    version: int
    reward: NewReward | None
    begun: bool


def draft(session: Session, program_id: UUID, code: str) -> RewardDraft:
    """The draft of a reward; where nobody has begun one, what is published, to begin from."""
    row = session.row(_DRAFT, (program_id, code), into=dict_row)
    number = row["version"] if row else 0
    if row is not None and row["content"] is not None:
        return RewardDraft(number, new_reward_from(row["content"], row["stock"]), begun=True)
    current = session.row(_ONE, (program_id, code), into=dict_row)
    published = new_reward_from(current["content"], current["stock"]) if current else None
    return RewardDraft(number, published, begun=False)


def begun_draft(session: Session, program_id: UUID, code: str) -> RewardDraft:
    """The draft, or what is published, to begin one from. Refuses: RewardDraftNotFound."""
    found = draft(session, program_id, code)
    if found.reward is None:
        raise RewardDraftNotFound(code)
    return found


def _told(row: Mapping[str, Any]) -> dict[str, Any]:
    of_reward = new_reward_from(row["content"], row["stock"])
    told = {name: row[name] for name in ("version", "withdrawn", "published_at", "published_by")}
    return {"reward": of_reward, **told}
