"""Shapes of what the facts of `events` hold, and when each is told."""

from marshmallow import Schema, fields
from marshmallow.validate import OneOf

from loyalty.events.schemas import Kind, NothingMoreSchema
from loyalty.members.domain import PROFILE
from loyalty.web.fields import Flag, ShopId


class MemberEnrolledFactSchema(Schema):
    """Whether somebody is to be thanked for a new member."""

    referred = Flag(required=True)


class MemberUpdatedFactSchema(Schema):
    """What of a profile is another now, by name; what it is, the profile says."""

    # A schema has `fields` of its own.
    names = fields.List(fields.String(validate=OneOf(PROFILE)), required=True, data_key="fields", attribute="fields")


class MemberMergedFactSchema(Schema):
    """Who a member was merged into, by customer id."""

    into = ShopId(required=True)


class MemberAbsorbedFactSchema(Schema):
    """Who was merged into a member, by customer id."""

    merged = ShopId(required=True)


KINDS = (
    Kind("member.enrolled", 1, "There is a new member.", MemberEnrolledFactSchema),
    Kind("member.updated", 1, "Some of a member's profile became another.", MemberUpdatedFactSchema),
    Kind("member.suspended", 1, "A member earns and redeems nothing until resumed.", NothingMoreSchema),
    Kind("member.resumed", 1, "A suspended member may earn and redeem again.", NothingMoreSchema),
    Kind("member.closed", 1, "A membership was closed for good.", NothingMoreSchema),
    Kind("member.merged", 1, "A membership was closed, for it became one with another.", MemberMergedFactSchema),
    Kind("member.absorbed", 1, "A member got all that another one had.", MemberAbsorbedFactSchema),
)
