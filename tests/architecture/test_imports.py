"""Imports run downhill: the contracts of pyproject.toml hold, and each would notice its breach."""

from copy import deepcopy
from pathlib import Path

import grimp
import pytest
from importlinter.api import read_configuration
from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports
from importlinter.contracts.forbidden import ForbiddenContract
from importlinter.contracts.layers import LayersContract

PYPROJECT = str(Path(__file__).resolve().parents[2] / "pyproject.toml")

KINDS = {"layers": LayersContract, "forbidden": ForbiddenContract}


def test_imports_run_downhill(capsys: pytest.CaptureFixture[str]):
    status = lint_imports(config_filename=PYPROJECT, no_cache=True, no_logo=True)

    assert status == EXIT_STATUS_SUCCESS, capsys.readouterr().out


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    """Who imports whom."""
    return grimp.build_graph("loyalty", include_external_packages=True, cache_dir=None)


@pytest.mark.parametrize(
    ("importer", "imported"),
    [
        pytest.param("loyalty.ledger.service", "loyalty.orders.service", id="uphill"),
        pytest.param("loyalty.members.locks", "loyalty.ledger.queries", id="the lock knows no ledger"),
        pytest.param("loyalty.vouchers.service", "loyalty.rewards.domain", id="codes know no reward"),
        pytest.param("loyalty.orders.service", "loyalty.membership.queries", id="neighbours"),
        pytest.param("loyalty.programs.service", "loyalty.access.service", id="neighbours at the bottom"),
        pytest.param("loyalty.events.service", "loyalty.audit.service", id="the log of facts and that of changes"),
        pytest.param("loyalty.events.service", "loyalty.rewards.events", id="the log knows no fact"),
        pytest.param("loyalty.rewards.events", "loyalty.db.writer", id="facts are told by who writes"),
        pytest.param("loyalty.orders.routes", "loyalty.app", id="the composition root"),
        pytest.param("loyalty.db.migrate", "loyalty.tables", id="tables are for migrations"),
        pytest.param("loyalty.web.fields", "loyalty.programs.domain", id="the kit knows no slice"),
        pytest.param("loyalty.db.session", "loyalty.web.requests", id="the database knows no HTTP"),
        pytest.param("loyalty.core.ids", "loyalty.config", id="the core knows no settings"),
        pytest.param("loyalty.earning.domain", "sqlalchemy", id="decisions know no database"),
        pytest.param("loyalty.ledger.book", "loyalty.core.clock", id="decisions know no clock"),
        pytest.param("loyalty.earning.worth", "loyalty.core.ids", id="decisions leave nothing to chance"),
        pytest.param("loyalty.programs.terms", "flask", id="decisions know no HTTP"),
        pytest.param("loyalty.core.errors", "psycopg", id="the core knows no driver"),
        pytest.param("loyalty.orders.service", "flask", id="use cases know no HTTP"),
        pytest.param("loyalty.ledger.jobs", "flask", id="jobs know no request"),
        pytest.param("loyalty.db.queue", "loyalty.ledger.jobs", id="the queue knows no slice"),
        pytest.param("loyalty.app", "loyalty.worker", id="neighbours at the top"),
        pytest.param("loyalty.rewards.queries", "loyalty.web.fields", id="queries know no shapes"),
        pytest.param("loyalty.imports.service", "marshmallow", id="bulk loads know no shapes"),
        pytest.param("loyalty.orders.schemas", "loyalty.core.clock", id="shapes know no clock"),
        pytest.param("loyalty.orders.schemas", "loyalty.db.session", id="shapes know no session"),
    ],
)
def test_an_import_that_does_not_run_downhill_is_seen(graph: grimp.ImportGraph, importer: str, imported: str):
    wrong = deepcopy(graph)
    wrong.add_import(importer=importer, imported=imported)

    assert not broken(graph)
    assert broken(wrong)


def test_a_new_slice_must_say_where_it_stands(graph: grimp.ImportGraph):
    grown = deepcopy(graph)
    grown.add_module("loyalty.offers_of_tomorrow")

    assert broken(grown) == ["Imports run downhill, and neighbours do not know each other"]


def broken(graph: grimp.ImportGraph) -> list[str]:
    """The contracts that a graph breaks."""
    configuration = read_configuration(PYPROJECT)
    contracts = [
        KINDS[options["type"]](options["name"], configuration["session_options"], options)
        for options in configuration["contracts_options"]
    ]
    return [c.name for c in contracts if not c.check(deepcopy(graph), verbose=False).kept]
