"""The base of every table, and the names that constraints get."""

from sqlalchemy import MetaData
from sqlalchemy.orm import DeclarativeBase

# A use case that expects a constraint to refuse translates it by name, so names follow a rule.
NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Tables are declared on this plain base: typed columns and named constraints, no behaviour."""

    metadata = MetaData(naming_convention=NAMES)
