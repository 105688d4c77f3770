"""How members have bought so far, kept up with every order and every return."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Text
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from loyalty.db.base import Base


class PurchaseHistoryRow(Base):
    """What a member bought in all. `spend` is minor units after discounts, less what came back."""

    __tablename__ = "purchase_histories"

    member_id: Mapped[UUID] = mapped_column(primary_key=True)
    orders: Mapped[int] = mapped_column(BigInteger)
    quantity: Mapped[int] = mapped_column(BigInteger)
    spend: Mapped[int] = mapped_column(BigInteger)
    last_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))


class CategoryHistoryRow(Base):
    """What a member bought of one category and of all below it."""

    __tablename__ = "category_histories"

    member_id: Mapped[UUID] = mapped_column(primary_key=True)
    category: Mapped[str] = mapped_column(Text, primary_key=True)
    orders: Mapped[int] = mapped_column(BigInteger)
    quantity: Mapped[int] = mapped_column(BigInteger)
    spend: Mapped[int] = mapped_column(BigInteger)
    last_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
