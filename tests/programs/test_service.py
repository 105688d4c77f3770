"""Creating programs, changing their settings, and who sees a change when."""

import pytest

from loyalty.db.session import Session
from loyalty.programs import queries, service
from loyalty.programs.domain import NewProgram
from loyalty.programs.errors import ProgramCodeTaken, ProgramNotFound
from loyalty.programs.terms import Activation, Expiry
from tests.builders import NOW, a_program, new_id
from tests.statements import statements


def test_a_new_program_is_found_by_its_code(session: Session):
    made = service.create_program(session, NewProgram(code="corner-shop", currency="PLN"), now=NOW)

    found = queries.by_code(session, "corner-shop")

    assert found == made
    assert (found.currency, found.version) == ("PLN", 1)
    assert "corner-shop" in queries.codes(session)


def test_a_program_without_a_name_is_called_after_its_code(session: Session):
    assert service.create_program(session, NewProgram(code="corner-shop"), now=NOW).name == "Corner Shop"
    assert service.create_program(session, NewProgram(code="other", name="Żabka"), now=NOW).name == "Żabka"


def test_two_programs_cannot_have_one_code(session: Session):
    program = a_program(session)

    with pytest.raises(ProgramCodeTaken) as refused:
        service.create_program(session, NewProgram(code=program.code), now=NOW)

    assert refused.value.facts == {"program": program.code}


def test_a_program_that_does_not_exist_is_not_found(session: Session):
    with pytest.raises(ProgramNotFound):
        queries.by_code(session, "nowhere")
    with pytest.raises(ProgramNotFound):
        queries.load(session, new_id())
    with pytest.raises(ProgramNotFound):
        queries.current(session, new_id())


def test_a_change_moves_what_is_given_and_leaves_the_rest(session: Session):
    program = a_program(session, settings={"rounding": "ceil", "earn": {"shipping": True}})

    changed = service.change_settings(session, program.program_id, {"name": "New", "earn": {"tax": "added"}}, now=NOW)

    assert (changed.name, changed.rounding, changed.currency) == ("New", "ceil", "EUR")
    assert (changed.earn.tax, changed.earn.shipping) == ("added", True)
    assert changed.version == program.version + 1


def test_the_terms_of_a_unit_are_replaced_as_a_whole(session: Session):
    program = a_program(session)
    terms = {"activation": {"mode": "delay", "days": 3}, "expiry": {"mode": "calendar", "dates": ["12-31"]}}

    units = service.change_settings(session, program.program_id, {"units": {"points": terms}}, now=NOW).units

    assert units["points"].activation == Activation("delay", days=3)
    assert units["points"].expiry == Expiry("calendar", dates=("12-31",))


def test_a_touch_moves_the_configuration_and_not_the_settings(session: Session):
    program = a_program(session)

    assert service.touch(session, program.program_id) == program.config_version + 1
    assert queries.load(session, program.program_id).version == program.version


def test_a_remembered_program_costs_no_statement(session: Session):
    program = a_program(session)
    queries.current(session, program.program_id)

    with statements() as sent:
        queries.current(session, program.program_id)
        queries.current(session, program.program_id, config_version=program.config_version)

    assert sent == []


def test_a_write_that_learns_a_newer_configuration_reads_the_program_anew(session: Session):
    program = a_program(session)
    queries.current(session, program.program_id)
    newer = service.touch(session, program.program_id)
    service.change_settings(session, program.program_id, {"rounding": "ceil"}, now=NOW)

    assert queries.current(session, program.program_id).rounding == "floor"  # remembered for a second
    assert queries.current(session, program.program_id, config_version=newer).rounding == "ceil"
    assert queries.current(session, program.program_id).rounding == "ceil"


def test_a_read_sees_a_change_after_a_second_at_most(session: Session, monkeypatch: pytest.MonkeyPatch):
    program = a_program(session)
    queries.current(session, program.program_id)
    service.touch(session, program.program_id)
    service.change_settings(session, program.program_id, {"rounding": "ceil"}, now=NOW)

    monkeypatch.setattr(queries, "FRESH_SECONDS", 0.0)  # the second is over

    assert queries.current(session, program.program_id).rounding == "ceil"


def test_a_program_that_did_not_change_is_asked_for_its_version_once_a_second(
    session: Session, monkeypatch: pytest.MonkeyPatch
):
    program = a_program(session)
    began = queries.time.monotonic()
    known = queries.current(session, program.program_id)

    asked = {}
    for seconds in (0.5, 1.5, 2.0, 2.4, 3.0):
        monkeypatch.setattr(queries.time, "monotonic", lambda seconds=seconds: began + seconds)
        with statements() as sent:
            assert queries.current(session, program.program_id) is known
        asked[seconds] = sent

    assert asked == {0.5: [], 1.5: [queries._VERSION], 2.0: [], 2.4: [], 3.0: [queries._VERSION]}
