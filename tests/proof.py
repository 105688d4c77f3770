"""The audit that ends every test of the database."""

from uuid import UUID

from loyalty.db.session import Session
from loyalty.ledger import verification


def assert_books_balance(session: Session, program_id: UUID | None = None) -> None:
    """The books of a program (or of everybody in the worker's database) are in order."""
    result = verification.verify(session, program_id=program_id)
    assert result.ok, result.findings
