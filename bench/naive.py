"""The yardstick: an order as a competent, ordinary Flask-SQLAlchemy application records it.

One transaction and one commit, the account locked with `SELECT ... FOR UPDATE`, the order id unique and answered
again when it is sent again, an index on every foreign key, a warm pool with prepared statements. What makes it
ordinary: the ORM on the hot path, a schema instantiated for each request, `jsonify`. It does less than the engine
does (no rules, no scopes, no stored answers, keys in memory), so the comparison errs on its side.
"""

from datetime import datetime, timedelta
from typing import Any

from flask import Flask, Response, jsonify, request
from flask_sqlalchemy import SQLAlchemy
from marshmallow import Schema, ValidationError, fields, validate
from sqlalchemy import BigInteger, ForeignKey, Identity, Index, Text, create_engine, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship
from sqlalchemy.types import DateTime

from loyalty.config import from_environment

KEY = "naive"


class Base(DeclarativeBase):
    """The base of the models."""


db = SQLAlchemy(model_class=Base)


class Member(db.Model):  # type: ignore[name-defined, misc]
    """A customer."""

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    customer_id: Mapped[str] = mapped_column(Text, unique=True)


class Account(db.Model):  # type: ignore[name-defined, misc]
    """A customer's points."""

    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"), primary_key=True)
    available: Mapped[int] = mapped_column(BigInteger, default=0)
    lifetime_earned: Mapped[int] = mapped_column(BigInteger, default=0)


class Order(db.Model):  # type: ignore[name-defined, misc]
    """An order."""

    __tablename__ = "orders"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    order_id: Mapped[str] = mapped_column(Text, unique=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"), index=True)
    currency: Mapped[str] = mapped_column(Text)
    placed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    channel: Mapped[str | None] = mapped_column(Text)
    total: Mapped[int] = mapped_column(BigInteger)
    points: Mapped[int] = mapped_column(BigInteger)
    lines: Mapped[list["OrderLine"]] = relationship(back_populates="order")


class OrderLine(db.Model):  # type: ignore[name-defined, misc]
    """A line of an order."""

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    order_fk: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    line_id: Mapped[str] = mapped_column(Text)
    sku: Mapped[str] = mapped_column(Text)
    category: Mapped[str | None] = mapped_column(Text)
    quantity: Mapped[int]
    unit_price: Mapped[int] = mapped_column(BigInteger)
    discount: Mapped[int] = mapped_column(BigInteger)
    order: Mapped[Order] = relationship(back_populates="lines")


class Entry(db.Model):  # type: ignore[name-defined, misc]
    """A line of the ledger."""

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"), index=True)
    order_fk: Mapped[int | None] = mapped_column(ForeignKey("orders.id"), index=True)
    kind: Mapped[str] = mapped_column(Text)
    points: Mapped[int] = mapped_column(BigInteger)
    available_after: Mapped[int] = mapped_column(BigInteger)
    recorded_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class Lot(db.Model):  # type: ignore[name-defined, misc]
    """Points that came together and expire together."""

    __table_args__ = (Index("ix_lot_expiry", "member_id", "expires_at"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    entry_id: Mapped[int] = mapped_column(ForeignKey("entry.id"), index=True)
    remaining: Mapped[int] = mapped_column(BigInteger)
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    entry: Mapped[Entry] = relationship()


class LineSchema(Schema):
    """A line of an order."""

    line_id = fields.String(required=True, validate=validate.Length(max=64))
    sku = fields.String(required=True, validate=validate.Length(max=64))
    category = fields.String(allow_none=True)
    quantity = fields.Integer(load_default=1, validate=validate.Range(min=1))
    unit_price = fields.Integer(required=True, validate=validate.Range(min=0))
    discount = fields.Integer(load_default=0, validate=validate.Range(min=0))


class OrderSchema(Schema):
    """An order."""

    order_id = fields.String(required=True, validate=validate.Length(max=64))
    customer_id = fields.String(required=True, validate=validate.Length(max=64))
    currency = fields.String(required=True, validate=validate.Length(equal=3))
    placed_at = fields.AwareDateTime(required=True)
    channel = fields.String(allow_none=True)
    lines = fields.List(fields.Nested(LineSchema), required=True, validate=validate.Length(min=1))


class ReceiptSchema(Schema):
    """The answer."""

    order_id = fields.String()
    customer_id = fields.String()
    status = fields.String()
    points = fields.Dict()
    balance = fields.Dict()


def record_order() -> tuple[Response, int]:
    """`POST /v1/orders`."""
    if request.headers.get("Authorization") != f"Bearer {KEY}":
        return jsonify(error="unauthorized"), 401
    try:
        data: dict[str, Any] = OrderSchema().load(request.get_json())
    except ValidationError as error:
        return jsonify(errors=error.messages), 422
    account = db.session.scalar(
        select(Account).join(Member).filter_by(customer_id=data["customer_id"]).with_for_update(of=Account)
    )
    if account is None:
        return jsonify(error="member not found"), 404
    order = db.session.scalar(select(Order).filter_by(order_id=data["order_id"]))
    if order is None:
        order = _new_order(data, account)
        answer = _answer(order, data, account)
        try:
            db.session.commit()
        except IntegrityError:
            db.session.rollback()
            return jsonify(error="order id in use"), 409
    else:
        answer = _answer(order, data, account)
    return answer, 201


def _new_order(data: dict[str, Any], account: Account) -> Order:
    total = sum(line["quantity"] * line["unit_price"] - line["discount"] for line in data["lines"])
    points = total // 100
    order = Order(
        order_id=data["order_id"],
        member_id=account.member_id,
        currency=data["currency"],
        placed_at=data["placed_at"],
        channel=data.get("channel"),
        total=total,
        points=points,
        lines=[OrderLine(**line) for line in data["lines"]],
    )
    account.available += points
    account.lifetime_earned += points
    db.session.add(order)
    db.session.flush()
    entry = Entry(
        member_id=account.member_id,
        order_fk=order.id,
        kind="earn",
        points=points,
        available_after=account.available,
        recorded_at=datetime.now(data["placed_at"].tzinfo),
    )
    expires_at = data["placed_at"] + timedelta(days=365)
    db.session.add(Lot(member_id=account.member_id, entry=entry, remaining=points, expires_at=expires_at))
    return order


def _answer(order: Order, data: dict[str, Any], account: Account) -> Response:
    receipt = {
        "order_id": order.order_id,
        "customer_id": data["customer_id"],
        "status": "recorded",
        "points": {"awarded": order.points},
        "balance": {"available": account.available},
    }
    return jsonify(ReceiptSchema().dump(receipt))


def create_app() -> Flask:
    """The application, on the database of DATABASE_URL."""
    settings = from_environment()
    app = Flask("naive", static_folder=None)
    app.config["SQLALCHEMY_DATABASE_URI"] = settings.database_url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {
        "pool_size": settings.threads,
        "connect_args": {"prepare_threshold": 1},
    }
    db.init_app(app)
    app.add_url_rule("/v1/orders", view_func=record_order, methods=["POST"])
    return app


def prepare(database_url: str, customers: list[str]) -> None:
    """Create the tables and enrol the customers."""
    engine = create_engine(database_url)
    try:
        db.metadata.create_all(engine)
        with engine.begin() as connection:
            connection.execute(insert(Member), [{"customer_id": customer} for customer in customers])
            ids = connection.scalars(select(Member.id))
            connection.execute(insert(Account), [{"member_id": i, "available": 0, "lifetime_earned": 0} for i in ids])
    finally:
        engine.dispose()
