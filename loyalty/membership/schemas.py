"""Shapes of members."""

from datetime import date
from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, pre_dump, validates_schema
from marshmallow.validate import Email

from loyalty.ledger.schemas import BalanceBriefSchema
from loyalty.members.domain import PROFILE
from loyalty.membership.queries import Membership
from loyalty.web.fields import LATEST, Document, Instant, Locale, Matches, ShopId, Text

EARLIEST_BIRTH = date(1900, 1, 1)
EMAIL_LENGTH_MAX = 254  # RFC 5321, 4.5.3.1.3, less the angle brackets


class BirthDate(fields.Date):
    """A day from 1900 on."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        day = super()._deserialize(value, attr, data, **kwargs)
        if not EARLIEST_BIRTH <= day < LATEST.date():
            raise ValidationError("Must be a day from 1900 on.")
        return day


class ContactSchema(Schema):
    """How a member is found: by e-mail address or by phone number."""

    email = Text(most=EMAIL_LENGTH_MAX)
    phone = Text(most=32)

    @validates_schema(skip_on_field_errors=True)
    def _one_of_both(self, data: dict[str, Any], **_kwargs: Any) -> None:
        if len(data) != 1:
            raise ValidationError("Give either email or phone.")


class NewMemberSchema(Schema):
    """What a shop says of a member. What is absent stays as it is; null takes a value away."""

    email = fields.String(allow_none=True, validate=[Email(), lambda v: _at_most(v, EMAIL_LENGTH_MAX)])
    phone = fields.String(
        allow_none=True,
        validate=Matches(r"\+[1-9][0-9]{5,14}", error="Must be in international form, such as +48221234567."),
    )
    first_name = Text(most=100, allow_none=True)
    last_name = Text(most=100, allow_none=True)
    birth_date = BirthDate(allow_none=True)
    locale = Locale(allow_none=True)
    attributes = Document(allow_none=True)
    consents = Document(allow_none=True)
    referred_by = Text(most=64, allow_none=True)
    enrolled_at = Instant(allow_none=True)

    @post_load
    def _build(self, data: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
        """Null and absent are the same to someone new; to a member, null takes a value away."""
        empty: dict[str, Any] = {"attributes": {}, "consents": {}}
        said = {name: empty.get(name) if value is None else value for name, value in data.items()}
        return {**said, "given": frozenset(data)}


class MemberTierSchema(Schema):
    """The tier that a member has. GET …/tier says how long, and what is next."""

    code = fields.String(required=True)
    name = fields.String(required=True)


class MemberSchema(Schema):
    """A member: who, what it holds, at which tier (null where the program has no ladder)."""

    customer_id = ShopId(required=True)
    member_id = fields.UUID(required=True)
    status = fields.String(required=True)
    enrolled_at = Instant(required=True)
    tier = fields.Nested(MemberTierSchema, required=True, allow_none=True)
    balance = fields.Nested(BalanceBriefSchema, required=True)
    referral_code = fields.String(required=True)
    referred_by = fields.String(required=True, allow_none=True)
    merged_into = fields.String(
        required=True, allow_none=True, metadata={"description": "The customer id of the member who took over."}
    )
    email = fields.String(required=True, allow_none=True)
    phone = fields.String(required=True, allow_none=True)
    first_name = fields.String(required=True, allow_none=True)
    last_name = fields.String(required=True, allow_none=True)
    birth_date = fields.Date(required=True, allow_none=True)
    locale = fields.String(required=True, allow_none=True)
    attributes = fields.Dict(required=True)
    consents = fields.Dict(required=True)

    @pre_dump
    def _flatten(self, membership: Membership, **_kwargs: Any) -> dict[str, Any]:
        member = membership.member
        own = (
            "customer_id",
            "member_id",
            "status",
            "enrolled_at",
            "referral_code",
            "referred_by",
            "merged_into",
            *PROFILE,
        )
        return {**{name: getattr(member, name) for name in own}, "balance": membership.balance, "tier": membership.tier}


class MergeSchema(Schema):
    """Who stays."""

    into = ShopId(required=True)


class MembersSchema(Schema):
    """Members found."""

    data = fields.List(fields.Nested(MemberSchema), required=True)
    next = fields.String(required=True, allow_none=True)


def _at_most(value: str, length: int) -> None:
    if len(value) > length:
        raise ValidationError(f"Must not be longer than {length} characters.")
