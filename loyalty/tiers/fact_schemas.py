"""Shapes of what the facts of `events` hold, and when each is told."""

from marshmallow import Schema, fields
from marshmallow.validate import OneOf

from loyalty.events.schemas import Kind
from loyalty.web.fields import Code, Instant


class TierChangedFactSchema(Schema):
    """The tier that a member has now."""

    tier = Code(required=True)
    was = Code(
        required=True,
        allow_none=True,
        data_key="from",
        attribute="from",
        metadata={"description": "The tier before; null for the first that is recorded."},
    )
    direction = fields.String(required=True, validate=OneOf(["up", "down"]))
    reason = fields.String(
        required=True,
        metadata={
            "description": "What did it: `order`, `activity`, `return`, `cancellation`, `pinned`, `unpinned`, "
            "`imported`, `merge`, `enrolled`; `fell` at the end of its validity, `grant_ended` at that of a grant, "
            "`moved` by another ladder; any other that the history of tiers tells."
        },
    )
    valid_until = Instant(required=True, allow_none=True, metadata={"description": "Null: without end."})
    ladder_version = fields.Integer(required=True, strict=True)


class LadderPublishedFactSchema(Schema):
    """A version that was published, and since when it is in force; null: from the beginning of time."""

    version = fields.Integer(required=True, strict=True)
    effective_from = Instant(required=True, allow_none=True)


KINDS = (
    Kind("tier.changed", 1, "A member has another tier.", TierChangedFactSchema),
    Kind("ladder.published", 1, "The program has other tiers, or will have.", LadderPublishedFactSchema),
)
