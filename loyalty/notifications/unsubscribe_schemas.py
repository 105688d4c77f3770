"""Shapes of unsubscribing."""

from typing import Any

from marshmallow import Schema, fields, post_load
from marshmallow.validate import Equal, OneOf


class UnsubscribeSchema(Schema):
    """What to switch off: `these`, what the link is about, or `all` on its channel. Mailers say `One-Click`: these."""

    one_click = fields.String(data_key="List-Unsubscribe", validate=Equal("One-Click"))
    stop = fields.String(load_default="these", validate=OneOf(["these", "all"]))

    @post_load
    def _everything(self, data: dict[str, Any], **_kwargs: Any) -> bool:
        return bool(data["stop"] == "all")
