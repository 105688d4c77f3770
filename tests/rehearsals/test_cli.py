"""`loyalty rehearse`: the same rehearsal, as tables."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask

from loyalty.cli import main
from loyalty.cli.rehearse import _show, _wanted
from loyalty.core import clock
from loyalty.core.errors import OperatorError
from loyalty.db.session import transaction
from loyalty.rehearsals.performing import perform
from loyalty.rehearsals.service import rules_of, span_of
from tests.builders import a_program
from tests.rehearsals.builders import DAY, base, buy, enrol


def test_it_prints_what_came_out(committed_db: Flask, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    with transaction() as session:
        program = a_program(session)
    enrol(program, "ann")
    buy(program, "ann", clock.now() - DAY, 3_000)
    file = tmp_path / "draft.json"
    file.write_text(json.dumps({"rules": [base("2", caps={"budget": 50})]}))
    wanted = _wanted(30, file)
    assert wanted.rules is not None

    span = span_of(wanted, now=clock.now())
    _show(perform(program, rules_of({"rules": wanted.rules, "segments": []}), span, now=clock.now()), program)

    said = capsys.readouterr().out
    assert "1 orders of 1 members, 30.00 EUR. 1 members gain" in said
    assert "Budget of base: 50 points would have run out at" in said
    assert "Caps, limits, cooldowns and budgets start from zero" in said


@pytest.mark.parametrize("text", ["{", "[]", '{"rules": [{"code": "x"}]}', '{"rulez": []}'])
def test_a_file_that_is_no_draft_is_refused_in_a_sentence(tmp_path: Path, text: str):
    file = tmp_path / "draft.json"
    file.write_text(text)

    with pytest.raises(OperatorError, match="is not a draft"):
        _wanted(30, file)


def test_it_is_listed_among_the_commands():
    assert "rehearse" in CliRunner().invoke(main, ["--help"]).output
