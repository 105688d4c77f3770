"""Shapes of a member's tier and of how it came to be."""

from typing import Any

from marshmallow import Schema, fields, pre_dump

from loyalty.programs.schemas import ExpirySchema
from loyalty.web.fields import Instant, Locale, Rate


class LocaleQuerySchema(Schema):
    """In which language to answer."""

    locale = Locale(
        metadata={"description": "The member's own language unless given, else the program's. Sentences: English, if "
                  "there are none in that language."}
    )  # fmt: skip


class NamedTierSchema(Schema):
    """A tier, by its name in the language of the answer."""

    code = fields.String(required=True)
    name = fields.String(required=True)


class TierGivesSchema(Schema):
    """What a tier gives."""

    multiplier = Rate(required=True)
    expiry = fields.Nested(ExpirySchema, required=True, allow_none=True)
    perks = fields.List(fields.String(), required=True)
    early_access_hours = fields.Integer(required=True)


class HeldTierSchema(NamedTierSchema):
    """The tier that a member has."""

    description = fields.String(required=True, allow_none=True)
    color = fields.String(required=True, allow_none=True)
    icon = fields.String(required=True, allow_none=True)
    benefits = fields.Nested(TierGivesSchema, required=True)


class CountingWindowSchema(Schema):
    """Over which time is counted: half-open. `from` null: all time; `to` null: the window moves on, or has no end."""

    mode = fields.String(required=True)
    since = Instant(required=True, allow_none=True, data_key="from")
    until = Instant(required=True, allow_none=True, data_key="to")

    @pre_dump
    def _named(self, window: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
        return {"mode": window["mode"], "since": window["from"], "until": window["to"]}


class GivingSchema(Schema):
    """By whose decision the member has the tier, whatever was bought."""

    tier = fields.String(required=True)
    until = Instant(required=True, allow_none=True)
    reason = fields.String(required=True)


class GoalSchema(Schema):
    """What counts so far, what it takes, and what is missing. Where that is 0, any purchase does."""

    have = fields.Integer(required=True)
    need = fields.Integer(required=True)
    missing = fields.Integer(required=True)


class NextTierSchema(GoalSchema):
    """What it takes to reach the next tier, if it is bought now."""

    tier = fields.Nested(NamedTierSchema, required=True)


class KeepTierSchema(GoalSchema):
    """What it takes to keep the tier: bought before `by`, on whichever day from `counts_from` on (null: ever)."""

    by = Instant(required=True)
    counts_from = Instant(required=True, allow_none=True)


class TierProjectionSchema(Schema):
    """The tier if nothing else happens, at the instant that decides it (null: it never ends)."""

    at = Instant(required=True, allow_none=True)
    tier = fields.Nested(NamedTierSchema, required=True)
    reason = fields.String(
        required=True,
        metadata={
            "description": "kept: enough was bought; falls: it was not; begins_anew: counting begins anew then, so "
            "nothing that is bought before can keep the tier; grant_ended: what was granted ends; moved: another "
            "ladder comes into force; never_ends."
        },
    )
    text = fields.String(required=True)


class TierStandingSchema(Schema):
    """Where a member stands: the tier, until when, and what comes. `next` and `keep` are about what is bought."""

    customer_id = fields.String(required=True)
    as_of = Instant(required=True)
    locale = fields.String(required=True)
    ladder_version = fields.Integer(required=True)
    basis = fields.String(required=True)
    unit = fields.String(
        required=True,
        metadata={"description": "What the numbers count: minor units of this currency, `points`, or `orders`."},
    )
    window = fields.Nested(CountingWindowSchema, required=True)
    progress = fields.Integer(required=True, metadata={"description": "What counts in the window by now."})
    tier = fields.Nested(HeldTierSchema, required=True)
    since = Instant(required=True)
    valid_until = Instant(
        required=True, allow_none=True, metadata={"description": "The first instant at which it is over; null: never."}
    )
    grace_until = Instant(
        required=True,
        allow_none=True,
        metadata={"description": "Until when the tier is held after its validity; null: no longer than that."},
    )
    in_grace = fields.Boolean(required=True)
    pinned = fields.Nested(GivingSchema, required=True, allow_none=True)
    next = fields.Nested(NextTierSchema, required=True, allow_none=True)
    keep = fields.Nested(KeepTierSchema, required=True, allow_none=True)
    projection = fields.Nested(TierProjectionSchema, required=True)
    text = fields.String(required=True, metadata={"description": "All that in a few words, in the member's language."})


class TierChangeSchema(Schema):
    """A change of a member's tier: when, and when that was recorded, from which (null: none) to which, and why."""

    at = Instant(required=True, attribute="as_of")
    recorded_at = Instant(required=True)
    old = fields.String(required=True, allow_none=True, data_key="from")
    new = fields.String(required=True, data_key="to")
    cause = fields.String(required=True)
    reference = fields.String(required=True, allow_none=True)
    reason = fields.String(required=True)
    valid_until = Instant(required=True, allow_none=True)


class TierHistorySchema(Schema):
    """A page of changes."""

    data = fields.List(fields.Nested(TierChangeSchema), required=True)
    next = fields.String(required=True, allow_none=True)


class TierEvaluationSchema(Schema):
    """What was seen when a tier was judged: so much counted from `window_from` (null: ever) to `as_of`."""

    as_of = Instant(required=True)
    recorded_at = Instant(required=True)
    cause = fields.String(required=True)
    reference = fields.String(
        required=True, allow_none=True, metadata={"description": "The order, return or activity that was the cause."}
    )
    ladder_version = fields.Integer(required=True)
    basis = fields.String(required=True)
    window_from = Instant(required=True, allow_none=True)
    value = fields.Integer(required=True)
    old = fields.String(required=True, allow_none=True)
    new = fields.String(required=True)
    reason = fields.String(required=True)
    valid_until = Instant(required=True, allow_none=True)


class TierEvaluationsSchema(Schema):
    """A page of evaluations."""

    data = fields.List(fields.Nested(TierEvaluationSchema), required=True)
    next = fields.String(required=True, allow_none=True)
