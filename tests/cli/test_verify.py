"""`loyalty verify` says what is wrong, and with --rebuild makes anew what follows from the entries."""

import os
import subprocess
import sys

import pytest
from flask import Flask

from loyalty.db import migrate
from loyalty.db.session import transaction
from loyalty.members.domain import LockedMember
from loyalty.programs.domain import Program
from tests.builders import a_member, a_program
from tests.ledger.books import earn


def verify(database_url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command, on the database of this worker."""
    environment = {**os.environ, "DATABASE_URL": database_url}
    return subprocess.run(
        [sys.executable, "-m", "loyalty.cli", "verify", *arguments],
        env=environment, cwd=migrate.ROOT, text=True, capture_output=True, check=False,
    )  # fmt: skip


@pytest.fixture
def broken(committed_db: Flask) -> tuple[Program, LockedMember]:
    """A member whose account was edited by hand."""
    with transaction() as session:
        program = a_program(session)
        member = a_member(session, program, "c-1")
        earn(session, program, member, 100)
    with transaction() as session:
        session.run("UPDATE accounts SET available = 7 WHERE member_id = %s", (member.member_id,))
    return program, member


def test_what_differs_is_named_and_made_anew(database_url: str, broken: tuple[Program, LockedMember]):
    program, member = broken

    told = verify(database_url, "--program", program.code)
    assert told.returncode == 1
    assert f"account-equals-lots: member {member.member_id} entry 1 points: expected [100, 0, 0]" in told.stderr
    assert told.stdout == "2 findings: 1 accounts, 1 entries, 1 lots checked.\n"

    mended = verify(database_url, "--program", program.code, "--member", "c-1", "--rebuild")
    assert (mended.returncode, mended.stdout) == (0, "The books are in order: 1 accounts, 1 entries, 1 lots checked.\n")
    assert "Rebuilt from the entries: 1 member." in mended.stderr
    assert verify(database_url, "--program", program.code).returncode == 0


def test_a_member_is_named_within_a_program(database_url: str):
    told = verify(database_url, "--member", "c-1")

    assert told.returncode == 2
    assert "--member needs --program" in told.stderr
