"""What purchases say of each member, kept up with every order and every return, and what they say all together."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, LargeBinary, Numeric, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from loyalty.db.base import Base


class MemberFeaturesRow(Base):
    """How a member buys. Money is minor units, less what came back.

    `weight` and `visits` are counts of orders, `worth` is spend, each decayed forward (`features.decay`): with a
    half-life of 180 days, and of 60 days. `gross` is what was bought at its price, `redeemed` how many rewards and
    offers were used, `redeemed_weight` the same decayed with 180 days.
    """

    __tablename__ = "member_features"
    __table_args__ = (Index("ix_member_features_program_id_member_id", "program_id", "member_id"),)

    member_id: Mapped[UUID] = mapped_column(primary_key=True)
    program_id: Mapped[UUID]
    orders: Mapped[int] = mapped_column(BigInteger)
    spend: Mapped[int] = mapped_column(BigInteger)
    gross: Mapped[int] = mapped_column(BigInteger)
    weight: Mapped[Decimal] = mapped_column(Numeric)
    visits: Mapped[Decimal] = mapped_column(Numeric)
    worth: Mapped[Decimal] = mapped_column(Numeric)
    first_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    last_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    redeemed: Mapped[int] = mapped_column(BigInteger)
    redeemed_weight: Mapped[Decimal] = mapped_column(Numeric)


class GoodsFeaturesRow(Base):
    """How a member buys one category (with all below it) or one article: `level` is `category` or `sku`.

    `weight` is the count of orders with it, decayed forward with a half-life of 180 days. `recent` are the newest
    orders with it, the newest last, each behind the instant it was placed at (`features.sums`).
    """

    __tablename__ = "goods_features"

    member_id: Mapped[UUID] = mapped_column(primary_key=True)
    level: Mapped[str] = mapped_column(Text, primary_key=True)
    code: Mapped[str] = mapped_column(Text, primary_key=True)
    orders: Mapped[int] = mapped_column(BigInteger)
    quantity: Mapped[int] = mapped_column(BigInteger)
    spend: Mapped[int] = mapped_column(BigInteger)
    weight: Mapped[Decimal] = mapped_column(Numeric)
    first_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    last_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    recent: Mapped[list[str]] = mapped_column(ARRAY(Text))


class LearnedOrderRow(Base):
    """An order that features know of, and how many of its units by line had come back when they last looked.

    `learner_id` is whose features it is in: the member's, or those of who the member was merged into.
    """

    __tablename__ = "learned_orders"

    member_id: Mapped[UUID] = mapped_column(primary_key=True)
    order_id: Mapped[str] = mapped_column(Text, primary_key=True)
    learner_id: Mapped[UUID]
    returned: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))


class StatisticsRow(Base):
    """What the purchases of a program say all together, counted as of an instant; the newest finished one is used.

    `cuts`: where members fall into five parts of equal size (`features.domain.Cuts`), beside the rest because the
    path of an order reads it. `document`: the figures of each category and article; `weights`: item-item weights as
    float32, row by row, in the order of the document's categories. `outlook`: what may be expected of members
    (`features.outlook.Outlook`); there is none of counts made before it was thought of.
    """

    __tablename__ = "feature_statistics"
    __table_args__ = (
        Index(
            "ix_feature_statistics_finished", "program_id", "version", postgresql_where=text("finished_at IS NOT NULL")
        ),
    )

    program_id: Mapped[UUID] = mapped_column(ForeignKey("programs.program_id"), primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    as_of: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    started_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    stage: Mapped[str] = mapped_column(Text)
    done: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    total: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    finished_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    cuts: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    document: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    weights: Mapped[bytes | None] = mapped_column(LargeBinary)
    outlook: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
