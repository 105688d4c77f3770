"""Members: enrol, read, find, suspend, close."""

from http import HTTPStatus
from typing import Any

from flask import g

from loyalty.access.guard import reading_operation
from loyalty.core import clock
from loyalty.core.errors import IdempotencyConflict
from loyalty.db.paging import Page
from loyalty.db.session import Session
from loyalty.ledger.errors import HoldsOpen
from loyalty.members.domain import NewMember
from loyalty.members.errors import (
    EnrolmentFixed,
    MemberClosed,
    MemberNotFound,
    MemberSuspended,
    ReferralCircle,
    ReferrerClosed,
    ReferrerNotFound,
    SelfMerge,
    SelfReferral,
)
from loyalty.membership import queries, service
from loyalty.membership.examples import CONTACT, MEMBER, MEMBERS, NEW_MEMBER
from loyalty.membership.queries import Membership
from loyalty.membership.schemas import ContactSchema, MemberSchema, MembersSchema, MergeSchema, NewMemberSchema
from loyalty.web.arguments import NothingSchema
from loyalty.web.blueprints import Blueprint, reads, transactional
from loyalty.web.idempotency import idempotent

bp = Blueprint("members", __name__, url_prefix="/v1/members", description="Who is enrolled.")


@bp.put("/<shop_id:customer_id>")
@bp.refuses(ReferrerNotFound, ReferrerClosed, SelfReferral, ReferralCircle, EnrolmentFixed, MemberClosed)
@transactional
@bp.arguments(NewMemberSchema(), example=NEW_MEMBER)
@bp.response(200, MemberSchema(), example=MEMBER)
@bp.alt_response(HTTPStatus.CREATED, schema=MemberSchema(), example=MEMBER, success=True)
def put_member(session: Session, data: dict[str, Any], customer_id: str) -> tuple[Membership, int]:
    """Enrol a customer (201), or change what is sent of a member's profile (200)."""
    new = NewMember(customer_id=customer_id, **data)
    result = service.put_member(session, g.caller.program_id, new, now=clock.now())
    return result.membership, HTTPStatus.CREATED if result.enrolled else HTTPStatus.OK


@bp.get("/<shop_id:customer_id>")
@bp.refuses(MemberNotFound)
@reads
@bp.response(200, MemberSchema(), example=MEMBER)
def get_member(session: Session, customer_id: str) -> Membership:
    """One member, with its balance as of now."""
    return queries.membership(session, g.caller.program_id, customer_id, now=clock.now())


@bp.post("/search")
@reading_operation
@reads
@bp.arguments(ContactSchema(), example=CONTACT)
@bp.response(200, MembersSchema(), example=MEMBERS)
def search_members(session: Session, contact: dict[str, str]) -> Page[Membership]:
    """Find members by e-mail address or phone number, which do not belong into a URL."""
    email, phone = contact.get("email"), contact.get("phone")
    program_id = g.caller.program_id
    found = queries.memberships_by_contact(session, program_id, email=email, phone=phone, now=clock.now())
    return Page(found, None)


@bp.post("/<shop_id:customer_id>/suspend")
@bp.refuses(MemberNotFound, MemberClosed, IdempotencyConflict)
@transactional
@idempotent
@bp.arguments(NothingSchema(), example={})
@bp.response(200, MemberSchema(), example=MEMBER)
def suspend_member(session: Session, _nothing: dict[str, Any], customer_id: str) -> Membership:
    """Suspend a membership: it earns and redeems nothing until it is resumed."""
    return service.set_status(session, g.caller.program_id, customer_id, "suspended", now=clock.now())


@bp.post("/<shop_id:customer_id>/resume")
@bp.refuses(MemberNotFound, MemberClosed, IdempotencyConflict)
@transactional
@idempotent
@bp.arguments(NothingSchema(), example={})
@bp.response(200, MemberSchema(), example=MEMBER)
def resume_member(session: Session, _nothing: dict[str, Any], customer_id: str) -> Membership:
    """Resume a suspended membership."""
    return service.set_status(session, g.caller.program_id, customer_id, "active", now=clock.now())


@bp.post("/<shop_id:customer_id>/merge")
@bp.refuses(MemberNotFound, MemberClosed, MemberSuspended, SelfMerge, HoldsOpen, IdempotencyConflict)
@transactional
@idempotent
@bp.arguments(MergeSchema(), example={"into": "c-43"})
@bp.response(200, MemberSchema(), example=MEMBER)
def merge_members(session: Session, wanted: dict[str, str], customer_id: str) -> Membership:
    """Make two members one: `into` gets all that this one holds and owes, and this one is closed for good."""
    return service.merge_members(session, g.caller.program_id, customer_id, wanted["into"], now=clock.now())


@bp.post("/<shop_id:customer_id>/close")
@bp.refuses(MemberNotFound, IdempotencyConflict)
@transactional
@idempotent
@bp.arguments(NothingSchema(), example={})
@bp.response(200, MemberSchema(), example=MEMBER)
def close_member(session: Session, _nothing: dict[str, Any], customer_id: str) -> Membership:
    """Close a membership for good: it keeps its history and earns nothing."""
    return service.set_status(session, g.caller.program_id, customer_id, "closed", now=clock.now())
