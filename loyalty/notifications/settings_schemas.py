"""Shapes of what a program tells its members."""

import re
from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, pre_dump, validates_schema
from marshmallow.validate import Length, OneOf

from loyalty.activities.domain import FEEDBACK
from loyalty.feedback.domain import SCALES
from loyalty.notifications.arranging import Arranged
from loyalty.notifications.domain import CHANNELS, Settings
from loyalty.notifications.storing import TOLD, settings_document, settings_from
from loyalty.web.fields import ByName, Code, Flag, Patterned, Whole

DAYS_AHEAD_MAX = 365
TIMES_TOLD_MAX = 5
SURVEYS_MAX = 20
ORDERS_MAX = 1_000
# What was sent is known for longer: see `forgetting`.
COOLDOWN_DAYS_MAX = 90

# As the shop writes it into the program; only names in quotes may contain what divides addresses.
_ADDRESS = r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63}){1,8}"
_NAME = r'("[^"\\\x00-\x1f\x7f]{0,100}"|[^"<>@,;:\\()\x00-\x1f\x7f\[\]]{0,100})'
_MAILBOX = f"({_ADDRESS}|{_NAME} ?<{_ADDRESS}>)"
_MAILBOX_RULE = 'Must be one address on one line, such as "Club <club@shop.example>".'

_URL = r"https?://[A-Za-z0-9.-]{1,255}(:[0-9]{1,5})?([/?#][^\s<>\"\\\x00-\x1f\x7f]{0,1000})?"
_URL_RULE = 'Must be an address that begins with "https://" or "http://".'
_CLOCK = "([01][0-9]|2[0-3]):[0-5][0-9]"
_CLOCK_RULE = 'Must be a time of day such as "21:00".'
_PLACE = re.compile(r"\{([^{}]*)\}?|\}")


def channel_name(**kwargs: Any) -> fields.String:
    """The name of a channel."""
    rule = f"There is no such channel. There are: {', '.join(CHANNELS)}."
    return fields.String(validate=OneOf(CHANNELS, error=rule), **kwargs)


def kind_name(**kwargs: Any) -> fields.String:
    """The name of a kind of message."""
    return fields.String(validate=OneOf(TOLD, error=f"There is no such kind. There are: {', '.join(TOLD)}."), **kwargs)


class QuietHoursSchema(Schema):
    """The hours in which nobody is disturbed, by the member's clock; they may go over midnight."""

    begin = Patterned(_CLOCK, error=_CLOCK_RULE, required=True, data_key="from")
    end = Patterned(_CLOCK, error=_CLOCK_RULE, required=True, data_key="to")

    @validates_schema(skip_on_field_errors=True)
    def _some_time(self, data: dict[str, Any], **_kwargs: Any) -> None:
        if data["begin"] == data["end"]:
            raise ValidationError("The quiet hours must end at another time than they begin.", "to")

    @post_load
    def _as_written(self, data: dict[str, Any], **_kwargs: Any) -> dict[str, str]:
        return {"from": data["begin"], "to": data["end"]}

    @pre_dump
    def _as_named(self, document: dict[str, str], **_kwargs: Any) -> dict[str, str]:
        return {"begin": document["from"], "end": document["to"]}


class MessageCapsSchema(Schema):
    """How many marketing messages a member gets on a channel in a day and in an ISO week; null: any number."""

    day = Whole(least=1, most=100, allow_none=True)
    week = Whole(least=1, most=700, allow_none=True)


class BurstSchema(Schema):
    """A message waits for so many minutes; `least` or more that have come together by then go as one."""

    minutes = Whole(least=1, most=1_440)
    least = Whole(least=2, most=50)


class FeedbackRequestSchema(Schema):
    """Members are asked how it was, so many days after an order. `{order_id}` in the URL is replaced."""

    url = Patterned(_URL, error=_URL_RULE, required=True)
    after_days = Whole(least=1, most=DAYS_AHEAD_MAX)

    @validates_schema(skip_on_field_errors=True)
    def _known_places(self, data: dict[str, Any], **_kwargs: Any) -> None:
        if any(found[0] != "{order_id}" for found in _PLACE.finditer(data["url"])):
            raise ValidationError("Nothing but {order_id} is replaced in the URL.", "url")


class OccasionSchema(Schema):
    """What members are asked about: one of these."""

    orders = Whole(least=1, most=ORDERS_MAX, metadata={"description": "Once, after so many orders."})
    every_orders = Whole(least=1, most=ORDERS_MAX, metadata={"description": "After every so many orders."})
    returned = Flag(data_key="return", metadata={"description": "After something came back: true."})
    activity = Code(metadata={"description": "After an activity of this type, such as support_case."})

    @validates_schema(skip_on_field_errors=True)
    def _one_of_them(self, data: dict[str, Any], **_kwargs: Any) -> None:
        if len(data) != 1:
            raise ValidationError("Say one of orders, every_orders, return and activity.")
        if data.get("returned") is False:
            raise ValidationError("Must be true.", "return")
        if data.get("activity") == FEEDBACK:
            raise ValidationError("Nobody is asked about having answered.", "activity")

    @post_load
    def _as_written(self, data: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
        return {"return" if name == "returned" else name: value for name, value in data.items()}

    @pre_dump
    def _as_named(self, document: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
        return {"returned" if name == "return" else name: value for name, value in document.items()}


class SurveySchema(Schema):
    """A question that members are asked on an occasion, unless they were asked something else a short while before.

    Whoever has answered by themselves meanwhile is not asked: about that order, or of that `kind` and `touchpoint`.
    """

    code = Code(required=True)
    kind = fields.String(
        required=True, validate=OneOf(list(SCALES), error=f"There is no such kind. There are: {', '.join(SCALES)}.")
    )
    after = fields.Nested(OccasionSchema, required=True)
    delay_days = Whole(most=DAYS_AHEAD_MAX, metadata={"description": "So long after the occasion; 7 by itself."})
    url = Patterned(
        _URL, error=_URL_RULE, required=True, metadata={"description": "`{order_id}` is replaced, if there is one."}
    )
    touchpoint = Code(allow_none=True)
    cooldown_days = Whole(
        most=COOLDOWN_DAYS_MAX,
        metadata={"description": "Not if anything was asked in so many days before; 30 by itself, 0: in any case."},
    )

    @validates_schema(skip_on_field_errors=True)
    def _known_places(self, data: dict[str, Any], **_kwargs: Any) -> None:
        found = {place[0] for place in _PLACE.finditer(data["url"])}
        if found - {"{order_id}"}:
            raise ValidationError("Nothing but {order_id} is replaced in the URL.", "url")
        if found and "activity" in data["after"]:
            raise ValidationError("An activity has no {order_id}.", "url")


class EmailSenderSchema(Schema):
    """Who e-mails come from, and where answers go: nowhere else, if that is null."""

    sender = Patterned(_MAILBOX, error=_MAILBOX_RULE, required=True, data_key="from")
    reply_to = Patterned(_MAILBOX, error=_MAILBOX_RULE, allow_none=True)

    @post_load
    def _as_written(self, data: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
        return {"from": data["sender"], "reply_to": data.get("reply_to")}

    @pre_dump
    def _as_named(self, document: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
        return {"sender": document["from"], "reply_to": document["reply_to"]}


def _days_ahead(description: str) -> fields.List[int]:
    each = Whole(least=1, most=DAYS_AHEAD_MAX)
    return fields.List(each, validate=Length(max=TIMES_TOLD_MAX), metadata={"description": description})


class NewNotificationSettingsSchema(Schema):
    """What a program tells its members. What is left out is as usual."""

    channels = ByName(
        channel_name(), Flag(), metadata={"description": "The channels in use; by itself, only the inbox is."}
    )
    kinds = ByName(
        kind_name(),
        fields.List(channel_name()),
        metadata={
            "description": "The channels of a kind that does not go to every channel in use; none: it is not sent."
        },
    )
    expiring_days = _days_ahead("Members are told so many days before points expire.")
    lapsing_days = _days_ahead("Members are told so many days before their tier ends.")
    offer_ending_days = Whole(least=1, most=DAYS_AHEAD_MAX)
    statement_day = Whole(
        least=1,
        most=28,
        allow_none=True,
        metadata={"description": "The day of the month on which members get a statement; null: none."},
    )
    within_reach_percent = Whole(
        least=50, most=100, metadata={"description": "So much of a reward's price makes it one within reach."}
    )
    quiet_hours = fields.Nested(QuietHoursSchema, allow_none=True)
    caps = fields.Nested(MessageCapsSchema)
    digest = fields.Nested(BurstSchema, allow_none=True)
    feedback = fields.Nested(FeedbackRequestSchema, allow_none=True)
    surveys = fields.List(
        fields.Nested(SurveySchema),
        validate=Length(max=SURVEYS_MAX),
        metadata={
            "description": "What members are asked, and when: instead of `feedback`, which asks after any order."
        },
    )
    email = fields.Nested(EmailSenderSchema, allow_none=True)
    storefront_url = Patterned(_URL, error=_URL_RULE, allow_none=True)

    @validates_schema(skip_on_field_errors=True)
    def _asked_one_way(self, data: dict[str, Any], **_kwargs: Any) -> None:
        codes = [survey["code"] for survey in data.get("surveys", ())]
        if codes and data.get("feedback") is not None:
            raise ValidationError("There are surveys: let one of them ask after each order instead.", "feedback")
        if len(set(codes)) < len(codes):
            raise ValidationError("Two surveys have the same code.", "surveys")

    @validates_schema(skip_on_field_errors=True)
    def _email_has_a_sender(self, data: dict[str, Any], **_kwargs: Any) -> None:
        if data.get("channels", {}).get("email") and data.get("email") is None:
            raise ValidationError('The channel "email" needs a sender: {"from": "Club <club@shop.example>"}.', "email")

    @post_load
    def _build(self, data: dict[str, Any], **_kwargs: Any) -> Settings:
        for name in {"expiring_days", "lapsing_days"} & set(data):
            data[name] = sorted(set(data[name]), reverse=True)
        return settings_from(data)


class NotificationSettingsSchema(NewNotificationSettingsSchema):
    """What a program tells its members; version 0 are the usual settings, which were never changed."""

    version = fields.Integer(required=True)

    @pre_dump
    def _as_document(self, found: Arranged, **_kwargs: Any) -> dict[str, Any]:
        return {**settings_document(found.settings), "version": found.version}
