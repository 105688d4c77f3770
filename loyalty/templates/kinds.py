"""What members are told of: the kinds of messages, when each is sent, and what a template can say. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Literal, TypeAlias

Category = Literal["transactional", "marketing"]
Type = Literal["points", "number", "text", "date", "money", "flag"]


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a template; a nullable one is not always known."""

    type: Type
    nullable: bool = False


@dataclass(frozen=True, slots=True)
class Many:
    """A list, of values or of trees."""

    of: "Node"


Node: TypeAlias = Value | Many | Mapping[str, "Node"]
Tree: TypeAlias = Mapping[str, Node]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of message: `sample` has a value for each of its variables, for who writes a template."""

    code: str
    category: Category
    when: str
    variables: Tree
    sample: Mapping[str, Any]

    @property
    def tree(self) -> Tree:
        """Everything a template of this kind can say."""
        return {**EVERYWHERE, **self.variables}


POINTS, NUMBER, TEXT, DATE = Value("points"), Value("number"), Value("text"), Value("date")
MAYBE_TEXT, MAYBE_DATE = Value("text", nullable=True), Value("date", nullable=True)

# What every template can say, whatever it is about.
EVERYWHERE: Final[Tree] = {
    "member": {"customer_id": TEXT, "first_name": MAYBE_TEXT, "last_name": MAYBE_TEXT, "tier": MAYBE_TEXT},
    "balance": {"available": POINTS, "pending": POINTS, "held": POINTS},
    "program": {"name": TEXT, "storefront_url": MAYBE_TEXT},
    "unsubscribe_url": MAYBE_TEXT,
}

SAMPLE_EVERYWHERE: Final[Mapping[str, Any]] = {
    "member": {"customer_id": "c-1001", "first_name": "Anna", "last_name": "Berg", "tier": "Silver"},
    "balance": {"available": 1_250, "pending": 120, "held": 0},
    "program": {"name": "Corner Shop", "storefront_url": "https://shop.example"},
    "unsubscribe_url": "https://shop.example/unsubscribe/sample",
}

SAMPLE_DAY = date(2026, 3, 31)
REWARD = {"code": "coffee", "name": "A bag of coffee", "points": 500}
OFFER = {"code": "double-week", "title": "A week of double points"}

ALL: Final = (
    Kind(
        "points_earned", "transactional", "An order or an activity has earned points.",
        {"points": POINTS, "pending": POINTS, "matures_on": MAYBE_DATE, "expires_on": MAYBE_DATE,
         "order_id": MAYBE_TEXT},
        {"points": 120, "pending": 120, "matures_on": date(2026, 1, 14), "expires_on": SAMPLE_DAY,
         "order_id": "A-1001"},
    ),
    Kind(
        "points_matured", "transactional", "Points that were pending can be used.",
        {"points": POINTS}, {"points": 120},
    ),
    Kind(
        "points_expiring", "transactional", "Points will expire soon, unless they are used.",
        {"points": POINTS, "expires_on": DATE, "days": NUMBER},
        {"points": 300, "expires_on": SAMPLE_DAY, "days": 14},
    ),
    Kind("points_expired", "transactional", "Points have expired.", {"points": POINTS}, {"points": 300}),
    Kind(
        "points_reversed", "transactional", "Points were taken back, because something was returned or cancelled.",
        {"points": POINTS, "order_id": MAYBE_TEXT}, {"points": 40, "order_id": "A-1001"},
    ),
    Kind(
        "balance_statement", "transactional", "A month is over: what was earned, used and lost, and what will expire.",
        {"month": DATE, "earned": POINTS, "redeemed": POINTS, "expired": POINTS,
         "expiring": Many({"points": POINTS, "expires_on": DATE})},
        {"month": date(2026, 2, 1), "earned": 420, "redeemed": 500, "expired": 30,
         "expiring": [{"points": 300, "expires_on": SAMPLE_DAY}, {"points": 90, "expires_on": date(2026, 4, 30)}]},
    ),
    Kind(
        "tier_up", "transactional", "The member has reached a higher tier.",
        {"tier": TEXT, "from_tier": MAYBE_TEXT, "perks": Many(TEXT)},
        {"tier": "Gold", "from_tier": "Silver", "perks": ["Free delivery", "Early access to sales"]},
    ),
    Kind(
        "tier_down", "transactional", "The member has a lower tier than before.",
        {"tier": TEXT, "from_tier": TEXT}, {"tier": "Silver", "from_tier": "Gold"},
    ),
    Kind(
        "tier_lapsing", "transactional", "The member's tier ends soon, unless it is kept.",
        {"tier": TEXT, "valid_until": DATE, "days": NUMBER, "advice": TEXT},
        {"tier": "Gold", "valid_until": SAMPLE_DAY, "days": 30, "advice": "Spend €120.00 more to keep Gold."},
    ),
    Kind(
        "reward_within_reach", "marketing", "A reward can be had now, or with a few more points.",
        {"reward": {"code": TEXT, "name": TEXT, "points": POINTS}, "missing": POINTS},
        {"reward": REWARD, "missing": 60},
    ),
    Kind(
        "new_reward", "marketing", "There is a new reward that the member could have.",
        {"reward": {"code": TEXT, "name": TEXT, "points": POINTS, "description": MAYBE_TEXT}},
        {"reward": {**REWARD, "description": "Freshly roasted, 250 g."}},
    ),
    Kind(
        "offer_assigned", "marketing", "An offer was made to the member.",
        {"offer": {"code": TEXT, "title": TEXT}, "valid_until": MAYBE_DATE},
        {"offer": OFFER, "valid_until": SAMPLE_DAY},
    ),
    Kind(
        "offer_ending", "marketing", "An offer that the member has not used ends soon.",
        {"offer": {"code": TEXT, "title": TEXT}, "valid_until": DATE, "days": NUMBER},
        {"offer": OFFER, "valid_until": SAMPLE_DAY, "days": 3},
    ),
    Kind(
        "voucher_issued", "transactional", "The member was given a voucher.",
        {"reward": MAYBE_TEXT, "code": TEXT, "expires_on": MAYBE_DATE},
        {"reward": "A bag of coffee", "code": "K7Q2-9XWM", "expires_on": SAMPLE_DAY},
    ),
    Kind(
        "feedback_request", "marketing",
        "Something was bought or came back, or happened otherwise, and the member is asked how it was.",
        # occasion: "order", "return" or "activity".
        {"occasion": TEXT, "order_id": MAYBE_TEXT, "touchpoint": MAYBE_TEXT, "feedback_url": TEXT},
        {"occasion": "order", "order_id": "A-1001", "touchpoint": "delivery",
         "feedback_url": "https://shop.example/feedback/sample"},
    ),
    Kind(
        "digest", "transactional", "Several messages have come together and are sent as one.",
        {"items": Many({"subject": TEXT, "text": TEXT})},
        {"items": [{"subject": "You have earned 120 points", "text": "You can use them from 14 January on."},
                   {"subject": "Welcome to Gold", "text": "Free delivery is yours from now on."}]},
    ),
)  # fmt: skip

KINDS: Final[Mapping[str, Kind]] = {kind.code: kind for kind in ALL}


def without(tree: Node, sample: Any) -> Any:
    """A sample in which all that may be unknown is unknown, and every list is empty."""
    if isinstance(tree, Value):
        return None if tree.nullable else sample
    if isinstance(tree, Many):
        return []
    return {name: without(node, sample[name]) for name, node in tree.items()}


def numbered(tree: Node, sample: Any, number: int) -> Any:
    """A sample in which every number is this one."""
    if isinstance(tree, Value):
        return number if tree.type in {"points", "number"} else sample
    if isinstance(tree, Many):
        return [numbered(tree.of, each, number) for each in sample]
    return {name: numbered(node, sample[name], number) for name, node in tree.items()}


# A template is told of the first hundred: whoever has more to read reads it in the shop.
LIST_MAX = 100
# The text of another message, in a digest, is the longest there is.
TEXT_MAX = 20_000


class FactMissing(ValueError):
    """A message lacks something that its templates may say."""


def plain(tree: Node, given: Any, name: str = "") -> Any:
    """What is given, as a template sees it: exactly the names of the tree, each of its type, lists no longer than wise.

    Days may be given as they are written in JSON. Raises FactMissing.
    """
    if isinstance(tree, Value):
        return _plain(tree, given, name)
    if isinstance(tree, Many):
        if not isinstance(given, Sequence) or isinstance(given, str):
            raise FactMissing(f"'{name}' must be a list.")
        return tuple(plain(tree.of, each, name) for each in given[:LIST_MAX])
    if not isinstance(given, Mapping):
        raise FactMissing(f"'{name}' must have parts.")
    return {part: plain(node, given.get(part), f"{name}.{part}".lstrip(".")) for part, node in tree.items()}


def _plain(value: Value, given: Any, name: str) -> Any:
    if given is None and value.nullable:
        return None
    if value.type == "date" and isinstance(given, str):
        given = date.fromisoformat(given)
    if type(given) is not _PYTHON[value.type]:
        raise FactMissing(f"'{name}' must be a {value.type}, not {type(given).__name__}.")
    return given[:TEXT_MAX] if isinstance(given, str) else given


_PYTHON: Final[Mapping[Type, type]] = {
    "points": int, "number": int, "money": int, "text": str, "date": date, "flag": bool
}  # fmt: skip
