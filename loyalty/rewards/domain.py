"""Rewards and redemptions as frozen values."""

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

RewardType = Literal[
    "discount_amount", "discount_percent", "free_product", "gift_card", "experience", "donation", "custom"
]
TYPES: tuple[RewardType, ...] = (
    "discount_amount", "discount_percent", "free_product", "gift_card", "experience", "donation", "custom",
)  # fmt: skip
FULFILMENTS = ("none", "code")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewReward:
    """A reward as a marketer writes it. `stock` is what is left to give; None: without end."""

    name: str
    type: RewardType
    points: int
    value: dict[str, Any] = field(default_factory=dict)
    stock: int | None = None
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    fulfilment: Literal["none", "code"] = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reward(NewReward):
    """A reward of the catalogue. Its stock is counted elsewhere, so that `version` moves with edits alone.

    `configured_stock` is what there was to give when somebody last said so.
    """

    program_id: UUID
    code: str
    version: int
    limited: bool
    configured_stock: int | None = None


def document_of(reward: Reward) -> dict[str, Any]:
    """A reward as one document: as it was configured, and what is left of it."""
    return {name: value for name, value in asdict(reward).items() if name not in ("program_id", "limited")}


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRedemption:
    """A member's wish to have a reward."""

    redemption_id: str
    reward: str
