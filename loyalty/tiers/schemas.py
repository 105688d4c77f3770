"""Shapes of ladders: drafts, what is published, and how far members were moved to it."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, validates_schema
from marshmallow.validate import Length, OneOf

from loyalty.tiers.ladder_schemas import (
    TIERS_MAX,
    LadderGraceSchema,
    LadderTierSchema,
    LadderValiditySchema,
    LadderWindowSchema,
    NewLadderSchema,
)
from loyalty.web.fields import Instant

MOVING = ("now", "upgrades_only", "at_validity_end")

# What a ladder must say.
SAID = tuple(name for name, field in NewLadderSchema().fields.items() if field.required)


class CheckLadderSchema(NewLadderSchema):
    """What to check: this ladder. Without one, the draft as it is stored."""

    basis = fields.String(validate=OneOf(["spend", "points_earned", "orders"]))
    window = fields.Nested(LadderWindowSchema)
    validity = fields.Nested(LadderValiditySchema)
    downgrade = fields.String(validate=OneOf(["none", "one_step", "full"]))
    grace = fields.Nested(LadderGraceSchema, allow_none=True)
    tiers = fields.List(fields.Nested(LadderTierSchema), validate=Length(min=1, max=TIERS_MAX))

    @validates_schema(skip_on_field_errors=True)
    def _whole_or_nothing(self, data: dict[str, Any], **_kwargs: Any) -> None:
        missing = [name for name in SAID if name not in data]
        if data and missing:
            raise ValidationError({name: ["Send the whole ladder."] for name in missing})


class ShownLadderSchema(NewLadderSchema):
    """A ladder as it was written. Where nobody has begun one, it has no tiers."""

    tiers = fields.List(fields.Nested(LadderTierSchema), required=True)


class LadderDraftSchema(ShownLadderSchema):
    """A draft."""

    version = fields.Integer(required=True)


class PublishLadderSchema(Schema):
    """What the ladder does to the members there are, and from when on it counts: a future instant, or now.

    `now` puts everybody where the ladder says; `upgrades_only` lets nobody fall; with `at_validity_end` members keep
    their tier until its time is over.
    """

    members = fields.String(load_default="now", validate=OneOf(MOVING))
    effective_from = Instant(load_default=None, allow_none=True)


class LadderSchema(ShownLadderSchema):
    """A ladder that was published; `effective_from` null: from the beginning of time.

    An `archived` ladder counts only for what was bought while it was in force, if it ever was.
    """

    version = fields.Integer(required=True)
    status = fields.String(required=True, validate=OneOf(["scheduled", "in_force", "archived"]))
    members = fields.String(required=True, validate=OneOf(MOVING))
    effective_from = Instant(required=True, allow_none=True)
    published_at = Instant(required=True)
    published_by = fields.String(required=True)


class LaddersSchema(Schema):
    """All published ladders, newest first."""

    data = fields.List(fields.Nested(LadderSchema), required=True)
    next = fields.String(required=True, allow_none=True)


class LadderMoveSchema(Schema):
    """How far members were moved to a ladder; `members_total` is counted when that begins."""

    version = fields.Integer(required=True)
    members = fields.String(required=True, validate=OneOf(MOVING))
    status = fields.String(required=True, validate=OneOf(["queued", "running", "done"]))
    effective_from = Instant(required=True)
    members_done = fields.Integer(required=True)
    members_total = fields.Integer(required=True, allow_none=True)
    up = fields.Integer(required=True)
    down = fields.Integer(required=True)
    started_at = Instant(required=True, allow_none=True)
    finished_at = Instant(required=True, allow_none=True)


class LadderMovesSchema(Schema):
    """The moves to all published ladders, newest first."""

    data = fields.List(fields.Nested(LadderMoveSchema), required=True)
    next = fields.String(required=True, allow_none=True)
