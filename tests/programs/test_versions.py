"""Settings by version: an order can be explained by those it was judged by, whatever they are today."""

import pytest

from loyalty.core.ids import new_id
from loyalty.db.session import Session, reading
from loyalty.programs import queries, service
from loyalty.programs.errors import ProgramVersionNotFound
from loyalty.programs.terms import Expiry
from tests.api import Api
from tests.builders import NOW, a_program
from tests.statements import statements

TERMS = {"activation": {"mode": "immediate"}, "expiry": {"mode": "calendar", "dates": ["06-30", "12-31"]}}


def test_every_version_of_the_settings_stays_readable(session: Session):
    first = a_program(session)
    changes = {"name": "New", "currency": "PLN", "earn": {"shipping": True}, "units": {"miles": TERMS}}
    service.touch(session, first.program_id)
    second = service.change_settings(session, first.program_id, changes, now=NOW)
    service.touch(session, first.program_id)
    third = service.change_settings(session, first.program_id, {"rounding": "ceil"}, now=NOW)

    found = [queries.at_version(session, first.program_id, version) for version in (1, 2, 3)]

    assert found == [first, second, third]
    assert found[1].units["miles"].expiry == Expiry("calendar", dates=("06-30", "12-31"))


def test_a_version_is_read_once_for_it_never_changes(session: Session):
    program = a_program(session)
    known = queries.at_version(session, program.program_id, 1)

    with statements() as sent:
        assert queries.at_version(session, program.program_id, 1) is known
    assert sent == []


def test_no_more_versions_are_remembered_than_fit(session: Session, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(queries, "VERSIONS_REMEMBERED_MAX", 2)
    for program in [a_program(session) for _ in range(5)]:
        assert queries.at_version(session, program.program_id, 1) == program

    assert len(queries._at_version) <= 2


def test_a_version_that_never_was_is_not_found(session: Session):
    program = a_program(session)

    for program_id, version in ((program.program_id, 2), (program.program_id, 0), (new_id(), 1)):
        with pytest.raises(ProgramVersionNotFound):
            queries.at_version(session, program_id, version)


def test_a_patch_makes_a_version_and_a_refused_one_does_not(api: Api):
    assert api.patch("/v1/admin/program", {"rounding": "ceil"}, headers={"If-Match": '"1"'}).status_code == 200
    assert api.patch("/v1/admin/program", {"rounding": "floor"}, headers={"If-Match": '"1"'}).status_code == 412

    with api.app.app_context(), reading() as session:
        rounding = [queries.at_version(session, api.program.program_id, version).rounding for version in (1, 2)]
        assert rounding == ["floor", "ceil"]
        with pytest.raises(ProgramVersionNotFound):
            queries.at_version(session, api.program.program_id, 3)
