"""Lapsed points that are brought back by hand."""

from datetime import timedelta

import orjson
import pytest

from loyalty.db.session import Session
from loyalty.ledger.adjustments import NewReinstatement, reinstate
from loyalty.ledger.errors import NothingToReinstate
from tests.builders import NOW, a_member, a_program
from tests.ledger.books import earn

A_DAY = timedelta(days=1)


def test_what_was_brought_back_and_lapsed_again_comes_back_once_and_not_for_ever(session: Session):
    program = a_program(session)
    member = a_member(session, program)

    def bring_back(lot: int, name: str, *, days: int) -> int:
        new = NewReinstatement(reinstatement_id=name, lot=lot, reason="goodwill", actor="ada")
        answer = reinstate(session, program.program_id, member.customer_id, new, now=NOW + days * A_DAY)
        return orjson.loads(answer.body)["lot"]

    first = earn(session, program, member, 100, expires_at=NOW + A_DAY)
    second = bring_back(first, "r-1", days=2)
    bring_back(second, "r-2", days=60)

    for lot in (first, second):
        with pytest.raises(NothingToReinstate):
            bring_back(lot, f"again-{lot}", days=60)


def test_all_that_lapsed_of_a_lot_that_did_not_lapse_is_nothing_to_bring_back(session: Session):
    program = a_program(session)
    member = a_member(session, program)
    lot = earn(session, program, member, 100)
    new = NewReinstatement(reinstatement_id="r-1", lot=lot, reason="goodwill", actor="ada")

    with pytest.raises(NothingToReinstate):
        reinstate(session, program.program_id, member.customer_id, new, now=NOW)
