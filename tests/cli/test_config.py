"""`loyalty config`: a configuration is kept in a file, compared with a program, and applied to it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from flask import Flask

from loyalty.db import migrate
from loyalty.db.session import transaction
from tests.builders import a_program, a_reward


def config(database_url: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """The command, on the database of this worker."""
    return subprocess.run(
        [sys.executable, "-m", "loyalty.cli", "config", *map(str, arguments)],
        env={**os.environ, "DATABASE_URL": database_url}, cwd=migrate.ROOT, text=True, capture_output=True, check=False,
    )  # fmt: skip


@pytest.fixture
def codes(committed_db: Flask) -> tuple[str, str]:
    """A program that is set up, and one that is not."""
    with transaction() as session:
        source = a_program(session, settings={"rounding": "ceil"})
        a_reward(session, source, stock=5)
        return source.code, a_program(session).code


def test_a_program_is_exported_compared_and_applied_to_another(
    database_url: str, codes: tuple[str, str], tmp_path: Path
):
    source, target = codes
    file = tmp_path / "program.json"
    assert config(database_url, "export", "--program", source, "--output", file).returncode == 0
    assert json.loads(file.read_text())["program"]["rounding"] == "ceil"

    assert config(database_url, "diff", "--program", source, file).returncode == 0
    different = config(database_url, "diff", "--program", target, file)
    assert different.returncode == 1
    first, second = different.stdout.splitlines()
    assert first == 'change /program/rounding: "floor" -> "ceil"'
    assert second.startswith('add /rewards/0: {"')

    applied = config(database_url, "apply", "--program", target, file)
    assert (applied.returncode, applied.stdout) == (0, different.stdout)
    assert applied.stderr == "2 changes applied.\n"
    again = config(database_url, "apply", "--program", target, file)
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "0 changes applied.\n")
    assert config(database_url, "diff", "--program", target, file).returncode == 0


def test_what_is_wrong_with_a_file_is_said_by_a_pointer_and_is_no_difference(
    database_url: str, codes: tuple[str, str], tmp_path: Path
):
    file = tmp_path / "program.json"
    for text, told in (
        ('{"format": 1, "program": {"rounding": "up"}}', "/program/rounding: Must be one of"),
        ('{"format": 1', "This is not JSON"),
        ("[]", "/"),
    ):
        file.write_text(text)
        refused = config(database_url, "diff", "--program", codes[1], file)
        assert refused.returncode == 2, refused
        assert told in refused.stderr
        assert config(database_url, "apply", "--program", codes[1], file).returncode == 1
    file.write_text('{"format": 1}')
    unknown = config(database_url, "diff", "--program", "nobody", file)
    assert (unknown.returncode, unknown.stderr) == (2, "Error: There is no program 'nobody'.\n")
