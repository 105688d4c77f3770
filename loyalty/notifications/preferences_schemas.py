"""Shapes of what members want to be told."""

from dataclasses import asdict
from typing import Any

from marshmallow import Schema, fields, post_load, pre_dump
from marshmallow.validate import OneOf

from loyalty.notifications.domain import Preferences
from loyalty.notifications.preferring import Shown
from loyalty.notifications.settings_schemas import QuietHoursSchema, channel_name, kind_name
from loyalty.notifications.storing import preferences_document, preferences_from
from loyalty.web.fields import ByName, Flag, Zone


class NewPreferencesSchema(Schema):
    """What a member wants. It replaces what was said before; what is left out is as the program has it."""

    channels = ByName(
        channel_name(), Flag(), metadata={"description": "false: nothing at all is wanted on this channel."}
    )
    kinds = ByName(
        kind_name(),
        ByName(channel_name(), Flag()),
        metadata={"description": "false: this kind is not wanted on this channel."},
    )
    quiet_hours = fields.Nested(
        QuietHoursSchema, allow_none=True, metadata={"description": "null: those of the program."}
    )
    time_zone = Zone(allow_none=True, metadata={"description": "null: that of the program."})
    digest = fields.String(
        validate=OneOf(["off", "daily", "weekly"]),
        metadata={"description": "Everything together once a day, or on Mondays, rather than one by one."},
    )

    @post_load
    def _build(self, data: dict[str, Any], **_kwargs: Any) -> Preferences:
        return preferences_from(data)


class EffectiveSchema(Schema):
    """What comes of it for a kind: by channel `on`, or the reason for which nothing would be sent."""

    kind = fields.String(required=True)
    category = fields.String(required=True)
    channels = fields.Dict(keys=fields.String(), values=fields.String(), required=True)


class PreferencesSchema(NewPreferencesSchema):
    """What a member wants, and what comes of it; version 0: they never said anything."""

    version = fields.Integer(required=True)
    effective = fields.List(fields.Nested(EffectiveSchema), required=True)

    @pre_dump
    def _as_document(self, found: Shown, **_kwargs: Any) -> dict[str, Any]:
        preferred = found.preferred
        return {
            **preferences_document(preferred.wants),
            "version": preferred.version,
            "effective": [asdict(each) for each in found.effective],
        }
