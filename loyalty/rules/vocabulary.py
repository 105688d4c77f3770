"""What conditions may name: one tree, from which the published context, the checks and their examples derive.

Amounts are minor units. Whoever builds the values of an order follows this tree, optional fields as null.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

# Who may be asked about: the lines of an order, an order, an activity, a member.
SCOPES = {
    "line": "Base and multiplier rules, asked of each line of an order.",
    "order": "Bonus rules on orders, asked once of each order.",
    "activity": "Bonus rules on activities, asked once of each activity.",
    "member": "Segments, rewards and offers, asked of a member.",
}

KINDS = ("bool", "int", "string", "timestamp", "object", "list", "map", "free")
SCALARS = frozenset({"bool", "int", "string", "timestamp"})


@dataclass(frozen=True, slots=True)
class Field:
    """A value that conditions may name.

    `kind`: bool, int, string, timestamp; object (with `fields`); list (of texts, or of objects with `fields`); map
    (from a category to an object with `fields`); free (whatever the shop sent).
    """

    name: str
    kind: str
    description: str
    example: Any = None
    optional: bool = False
    fields: tuple["Field", ...] = ()
    scopes: tuple[str, ...] = tuple(SCOPES)

    def field(self, name: str) -> "Field | None":
        """The field of this name."""
        return next((field for field in self.fields if field.name == name), None)


_FIFTH = "1 to 5; 5: of the fifth of the members who {}. Null before the first nightly count."

# An order of noon on 1 March 2026.
_NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
_CATEGORY = "coffee > beans"

_MEMBER = Field(
    "member", "object", "The member, as known when the order was placed.",
    fields=(
        Field("tier", "string", "The code of the tier; null where the program has none.", "silver", optional=True),
        Field("locale", "string", "The language tag.", "en", optional=True),
        Field("enrolled_at", "timestamp", "When the member enrolled.", datetime(2025, 3, 1, 9, tzinfo=UTC)),
        Field("days_enrolled", "int", "Days since then, in the program's zone.", 365),
        Field("age", "int", "Age in years; null without a date of birth.", 34, optional=True),
        Field("days_to_birthday", "int", "Days to the next birthday; 0 on the day.", 12, optional=True),
        Field("referred", "bool", "Whether another member referred this one.", example=False),
        Field("attributes", "free", "The attributes that the shop gave the member.", {}),
    ),
)  # fmt: skip

_BOUGHT = (
    Field("orders", "int", "Orders.", 2),
    Field("quantity", "int", "Pieces.", 3),
    Field("spend", "int", "What was paid and not returned.", 2400),
    Field("days_since_last_order", "int", "Days since the last of them; null if never.", 20, optional=True),
)

_HISTORY = Field(
    "history", "object", "What the member bought before this order.",
    fields=(
        Field("orders", "int", "Orders.", 3),
        Field("spend", "int", "What was paid and not returned.", 12_500),
        Field("days_since_last_order", "int", "Days since the last order; null before the first.", 20, optional=True),
        Field(
            "categories", "map",
            "By category, with all below it. One that is written out is always there, with zeros if never bought: "
            'history.categories["coffee"].orders.',
            fields=_BOUGHT,
        ),
    ),
)  # fmt: skip

_FEATURES = Field(
    "features", "object",
    "How the member buys of late, from all orders that are known a few seconds later; what is long ago fades.",
    fields=(
        Field("visits_per_100_days", "int", "Orders in 100 days, at the pace of late.", 14),
        Field("spend_per_28_days", "int", "What is spent in 28 days, at the pace of late.", 4_800),
        Field("average_order", "int", "What an order comes to; null before the first.", 4_100, optional=True),
        Field("discount_percent", "int", "The share of the price that discounts took off.", 12, optional=True),
        Field("tenure_days", "int", "Days since the first order; null before it.", 210, optional=True),
        Field("redemptions", "int", "Rewards and offers that were used.", 2),
        Field("active_percent", "int", "The chance of an order in the next 28 days.", 98),
        Field("usual_gap_days", "int", "Mean days between orders; null before the second.", 19, optional=True),
        Field(
            "overdue_percent", "int", "Days since the last order, in percent of the usual gap: 200 is twice as long.",
            105, optional=True,
        ),
        Field("recency_quintile", "int", _FIFTH.format("bought most lately"), 4, optional=True),
        Field("frequency_quintile", "int", _FIFTH.format("buy most often"), 4, optional=True),
        Field("monetary_quintile", "int", _FIFTH.format("spend most"), 3, optional=True),
    ),
)  # fmt: skip

_LINE = (
    Field("line_id", "string", "The line's id.", "1"),
    Field("sku", "string", "The article.", "beans-1kg"),
    Field("category", "string", "The category path.", _CATEGORY, optional=True),
    Field("quantity", "int", "Pieces.", 2),
    Field("unit_price", "int", "The price of one.", 1200),
    Field("discount", "int", "The line's own discount.", 100),
    Field("tax", "int", "The tax.", 0),
    Field("basis", "int", "What the line earns on, after all discounts.", 2300),
)

_ORDER = Field(
    "order", "object", "The order.", scopes=("line", "order"),
    fields=(
        Field("basis", "int", "What the order earns on.", 2300),
        Field("total", "int", "What was paid for lines and shipping.", 2800),
        Field("shipping", "int", "The shipping.", 500),
        Field("discount", "int", "The discount on the whole order.", 0),
        Field("points_paid", "int", "What was paid with points.", 0),
        Field("quantity", "int", "Pieces.", 2),
        Field("channel", "string", "Where it was placed.", "web", optional=True),
        Field("categories", "list", "All categories in it, with those above them.", ["coffee", _CATEGORY]),
        Field("skus", "list", "All articles in it.", ["beans-1kg"]),
        Field("metadata", "free", "What the shop sent along.", {}),
        Field("lines", "list", "The lines; for rules on whole orders.", fields=_LINE, scopes=("order",)),
    ),
)  # fmt: skip

_ACTIVITY = Field(
    "activity", "object", "What the member did.", scopes=("activity",),
    fields=(
        Field("type", "string", "The kind of activity.", "review"),
        Field("properties", "free", "What the shop sent along.", {}),
    ),
)  # fmt: skip

_LOCAL = Field(
    "local", "object", "The instant of `now` as clocks in the program's zone showed it.",
    fields=(
        Field("hour", "int", "0 to 23.", 12),
        Field("minute", "int", "0 to 59.", 0),
        Field("weekday", "int", "1 (Monday) to 7 (Sunday).", 7),
        Field("day", "int", "1 to 31.", 1),
        Field("month", "int", "1 to 12.", 3),
        Field("year", "int", "The year.", 2026),
        Field("date", "string", "The date.", "2026-03-01"),
    ),
)  # fmt: skip

VARIABLES = (
    _MEMBER,
    _HISTORY,
    _FEATURES,
    _ORDER,
    Field("line", "object", "The line that the rule judges.", fields=_LINE, scopes=("line",)),
    _ACTIVITY,
    Field("now", "timestamp", "The instant the order was placed, or the activity happened.", _NOON),
    _LOCAL,
)

# What a category that was never bought counts.
NEVER_BOUGHT: dict[str, int | None] = {field.name: None if field.optional else 0 for field in _BOUGHT}

# Conditions to begin from: the scope, the condition, what it says.
EXAMPLES = (
    ("line", 'line.category == "coffee > beans" && line.quantity >= 2', "Two or more of the beans."),
    ("line", 'history.categories["coffee"].orders == 0', "Coffee, for those who never bought any."),
    ("line", "local.weekday >= 6", "At the weekend."),
    ("order", "history.orders == 0 && order.basis >= 5000", "A first order of 50.00 or more."),
    ("order", "order.lines.exists(l, l.quantity >= 10)", "Ten or more of anything."),
    ("order", 'order.lines.filter(l, l.sku.startsWith("beans-")).size() >= 2', "Two kinds of beans."),
    ("order", 'has(order.metadata.gift) && order.metadata.gift == "yes"', "Orders marked as gifts."),
    ("order", "member.days_to_birthday != null && member.days_to_birthday == 0", "On the birthday."),
    ("activity", 'activity.type == "review" && history.orders > 0', "A review by somebody who bought."),
    ("member", 'member.tier in ["silver", "gold"]', "Members of the upper tiers."),
    ("member", "member.age != null && member.age >= 18", "Adults, where the age is known."),
    ("member", "history.days_since_last_order != null && history.days_since_last_order > 90", "Lapsing members."),
    ("member", "features.overdue_percent != null && features.overdue_percent >= 200", "Later than they usually are."),
)


def variables(scope: str) -> dict[str, Field]:
    """The variables that a condition of a scope may name."""
    return {field.name: field for field in VARIABLES if scope in field.scopes}


def values(field: Field, scope: str, *, known: bool, number: int | None = None) -> Any:
    """An example of a field: what is optional `known` or null, each whole number its own example or `number`."""
    if field.optional and not known:
        return None
    if field.kind == "int":
        return field.example if number is None else number
    if field.fields:
        entry = {part.name: values(part, scope, known=known, number=number) for part in _open(field, scope)}
        shapes = {"object": entry, "list": [entry], "map": {_CATEGORY: entry} if known else {}}
        return shapes[field.kind]
    return field.example


def _open(field: Field, scope: str) -> Iterator[Field]:
    return (part for part in field.fields if scope in part.scopes)
