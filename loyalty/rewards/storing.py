"""Rewards to and from their stored form: one document, without what is counted elsewhere. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from loyalty.rewards.domain import CONTENT, NewReward, Reward, VoucherTerms

# What a reward starts with, said once: a document says only what differs.
_PLAIN = NewReward(name="", type="custom", points=1)
_ALWAYS = ("name", "type", "points")


def content_of(reward: NewReward) -> dict[str, Any]:
    """A reward as it is stored: `stock` stands beside it."""
    given = {name: getattr(reward, name) for name in CONTENT if name != "stock"}
    return {name: _written(value) for name, value in given.items() if name in _ALWAYS or value != getattr(_PLAIN, name)}


def new_reward_from(content: Mapping[str, Any], stock: int | None) -> NewReward:
    """A reward as a marketer wrote it, from its stored form."""
    return NewReward(**_read(content), stock=stock)


def reward_from(row: Mapping[str, Any]) -> Reward:
    """A reward of the catalogue, from its row."""
    given = dict(row)
    content = _read(given.pop("content"))
    return Reward(**content, **given)


def document_of(reward: Reward) -> dict[str, Any]:
    """A reward as one document for the audit: as it was configured, and what is left of it."""
    named = {name: getattr(reward, name) for name in ("code", "version", "withdrawn", "left")}
    return {**named, "stock": reward.stock, **content_of(reward)}


def _read(content: Mapping[str, Any]) -> dict[str, Any]:
    made = dict(content)
    for name in ("valid_from", "valid_to"):
        if made.get(name):
            made[name] = datetime.fromisoformat(made[name])
    for name in ("tiers", "segments", "images", "categories"):
        made[name] = tuple(made.get(name) or ())
    if "voucher" in made:
        made["voucher"] = VoucherTerms(**made["voucher"])
    return made


def _written(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, VoucherTerms):
        return {"valid_days": value.valid_days, "uses": value.uses}
    return list(value) if isinstance(value, tuple) else value
