"""Which template a message is made of."""

import pytest
from psycopg.errors import InsufficientPrivilege, RestrictViolation

from loyalty.db.session import Session
from loyalty.programs.domain import Program
from loyalty.templates import service
from loyalty.templates.queries import template_for, templates_for
from loyalty.templates.templating import Source
from tests.builders import NOW, a_program
from tests.statements import statements

KIND = "points_matured"


@pytest.fixture
def program(session: Session) -> Program:
    return a_program(session)


def write(session: Session, program: Program, tag: str, kind: str = KIND) -> None:
    service.publish(session, program.program_id, kind, tag, Source(f"own in {tag}", "text"), now=NOW)


def chosen(session: Session, program: Program, tag: str) -> tuple[str, str, int]:
    found = template_for(session, program.program_id, KIND, tag)
    return found.subject, found.language, found.version


def test_it_is_the_programs_own_for_the_tag_then_for_the_language_then_the_engines(session: Session, program: Program):
    assert chosen(session, program, "pt-BR")[1:] == ("en", 0)
    assert chosen(session, program, "pl-PL")[1:] == ("pl", 0)

    write(session, program, "pt")
    assert chosen(session, program, "pt-BR") == ("own in pt", "pt", 1)
    write(session, program, "pt-BR")
    write(session, program, "pt-BR")
    assert chosen(session, program, "pt_br") == ("own in pt-BR", "pt-BR", 2)
    assert chosen(session, program, "pt-PT") == ("own in pt", "pt", 1)

    write(session, program, "pl")
    assert chosen(session, program, "pl-PL") == ("own in pl", "pl", 1)
    service.withdraw(session, program.program_id, KIND, "pl", now=NOW)
    assert chosen(session, program, "pl-PL")[1:] == ("pl", 0)


def test_who_reads_a_language_without_texts_gets_the_programs_own_in_its_language_then_english(session: Session):
    program = a_program(session, locale="fr-FR")
    assert chosen(session, program, "de")[1:] == ("en", 0)

    write(session, program, "en")
    assert chosen(session, program, "de") == ("own in en", "en", 1)
    write(session, program, "fr")
    assert chosen(session, program, "de") == ("own in fr", "fr", 1)
    assert chosen(session, program, "what is this") == ("own in fr", "fr", 1)
    assert chosen(session, program, "pl")[1:] == ("pl", 0)


def test_many_are_read_in_one_statement(session: Session, program: Program):
    write(session, program, "de")
    write(session, program, "de", "tier_up")
    wanted = {(kind, tag) for kind in (KIND, "tier_up", "digest") for tag in ("de", "pl", "sv", "en-GB")}
    template_for(session, program.program_id, KIND, "en")  # the program is known

    with statements() as sent:
        found = templates_for(session, program.program_id, wanted)

    assert len(sent) == 1
    assert set(found) == wanted
    assert found["tier_up", "de"].version == 1
    assert found["digest", "de"].language == "en"


def test_what_was_published_never_changes(session: Session, program: Program):
    write(session, program, "pl")

    with pytest.raises((RestrictViolation, InsufficientPrivilege)):
        session.run("UPDATE notification_templates SET subject = 'x'")
