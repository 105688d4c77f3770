"""Purchases, rules and awards as frozen values."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from loyalty.programs.domain import POINTS
from loyalty.programs.terms import Activation, Dates, Expiry

# Categories are paths: "coffee > beans" lies below "coffee".
CATEGORY_SEPARATOR = " > "


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of an order. Amounts are minor units; `discount` and `tax` are of the whole line."""

    line_id: str
    sku: str
    category: str | None = None
    quantity: int = 1
    unit_price: int
    discount: int = 0
    tax: int = 0

    @property
    def net(self) -> int:
        """What the line costs before the order's own discount."""
        return self.quantity * self.unit_price - self.discount


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    """What of an order matters to what it earns."""

    lines: tuple[Line, ...]
    placed_at: datetime
    shipping: int = 0
    discount: int = 0
    points_paid: int = 0
    channel: str | None = None


@dataclass(frozen=True, slots=True)
class PointsPer:
    """`points` for every `amount` minor units of basis."""

    amount: int
    points: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class EarningRule:
    """One rule of a published set. Empty filters match everything."""

    code: str
    version: int
    priority: int
    kind: Literal["base"] = "base"
    points_per: PointsPer | None = None
    points_per_unit: int | None = None
    categories: tuple[str, ...] = ()
    skus: tuple[str, ...] = ()
    exclude_categories: tuple[str, ...] = ()
    exclude_skus: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    min_basis: int = 0
    unit: str = POINTS
    activation: Activation | None = None
    expiry: Expiry | None = None
    valid_from: datetime | None = None
    valid_to: datetime | None = None

    def is_open(self, purchase: Purchase) -> bool:
        """Whether the rule runs at all for this order: its window and its channels."""
        begun = self.valid_from is None or self.valid_from <= purchase.placed_at
        ended = self.valid_to is not None and self.valid_to <= purchase.placed_at
        return begun and not ended and (not self.channels or purchase.channel in self.channels)

    def matches(self, line: Line) -> bool:
        """Whether the rule covers a line: named by SKU or category (or nothing named), and not excluded."""
        if line.sku in self.exclude_skus or _within(line.category, self.exclude_categories):
            return False
        named = bool(self.skus or self.categories)
        return not named or line.sku in self.skus or _within(line.category, self.categories)


@dataclass(frozen=True, slots=True)
class RuleSet:
    """The rules published together. `effective_from` None: from the beginning of time."""

    version: int
    rules: tuple[EarningRule, ...]
    effective_from: datetime | None = None
    published_at: datetime | None = None
    published_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Award:
    """Points that a rule gives for an order, with the lines they came from and the dates they live by."""

    rule_code: str
    rule_version: int
    unit: str
    points: int
    lines: tuple[tuple[str, int], ...]
    reason: str
    dates: Dates


def _within(category: str | None, paths: tuple[str, ...]) -> bool:
    if category is None:
        return False
    return any(category == path or category.startswith(path + CATEGORY_SEPARATOR) for path in paths)


def rule_from(stored: dict[str, Any]) -> EarningRule:
    """A rule from its stored form (`stored_form` is the inverse)."""
    made = dict(stored)
    for name in ("categories", "skus", "exclude_categories", "exclude_skus", "channels"):
        made[name] = tuple(made.get(name, ()))
    if per := made.get("points_per"):
        made["points_per"] = PointsPer(per["amount"], Decimal(per["points"]))
    if activation := made.get("activation"):
        made["activation"] = Activation(**activation)
    if expiry := made.get("expiry"):
        made["expiry"] = Expiry(**{**expiry, "dates": tuple(expiry.get("dates", ()))})
    for name in ("valid_from", "valid_to"):
        if isinstance(made.get(name), str):
            made[name] = datetime.fromisoformat(made[name])
    return EarningRule(**made)


@dataclass(frozen=True, slots=True)
class Draft:
    """Rules being edited. `version` moves with every edit; not `begun`, it shows the rules in force."""

    version: int
    rules: list[dict[str, Any]] = field(default_factory=list)
    begun: bool = True


# What a new program earns by, until it publishes rules of its own.
DEFAULT_RULE: dict[str, Any] = {
    "code": "base",
    "version": 1,
    "kind": "base",
    "priority": 10,
    "points_per": {"amount": 100, "points": "1"},
}
