"""Features anew from orders: the same to the byte, beside the service, and for orders that no fact tells of."""

from threading import Thread
from typing import Any

import pytest
from click.testing import CliRunner

from loyalty.cli.features import rebuild
from loyalty.db.session import transaction
from loyalty.events.following import hold
from loyalty.learning.following import NAME, follow_program
from tests.api import Api
from tests.learning.learned import features, forgotten, learned, rebuilt, rows
from tests.shop import a_line, buy, cancel, configure, give_back, in_days


@pytest.fixture
def shop(api: Api) -> Api:
    configure(api, auto_enrol=True)
    for number in range(9):
        line = a_line("1", 500, 2, category="coffee > beans")
        buy(api, f"o-{number}", line, customer_id=f"c-{number % 3}", placed_at=in_days(number - 10))
    give_back(api, "o-4", {"1": 1})
    cancel(api, "o-8")
    return api


def change(shop: Api, sql: str) -> None:
    with shop.app.app_context(), transaction() as session:
        where = "member_id IN (SELECT member_id FROM members WHERE program_id = %s)"
        assert session.run(f"{sql} {where}", (shop.program.program_id,))


def test_orders_that_nobody_followed_are_learned_and_not_learned_again_when_somebody_does(shop: Api):
    # Five rows of features and the orders themselves, of three members.
    assert rebuilt(shop, limit=2) == 3 * (1 + 3) + 9
    before = rows(shop)
    learned(shop)

    assert rows(shop) == before
    assert features(shop, "c-1").categories["coffee"].recent == ("o-1", "o-4", "o-7")


def test_what_is_right_is_left_alone(shop: Api):
    learned(shop)
    assert rebuilt(shop) == 0


@pytest.mark.parametrize(
    ("sql", "wrong"),
    [
        ("UPDATE goods_features SET spend = spend + 1 WHERE", 9),
        ("UPDATE goods_features SET recent = '{}' WHERE level = 'sku' AND", 3),
        ("DELETE FROM goods_features WHERE code = 'coffee' AND", 3),
        ("UPDATE member_features SET weight = weight + 0.000000000001 WHERE", 3),
        ("UPDATE learned_orders SET returned = '{\"1\": 2}' WHERE order_id = 'o-2' AND", 1),
        ("UPDATE learned_orders SET learner_id = gen_random_uuid() WHERE order_id < 'o-2' AND", 2),
    ],
)
def test_what_is_wrong_is_found_and_corrected(shop: Api, sql: str, wrong: int):
    learned(shop)
    before = rows(shop)
    change(shop, sql)

    assert rebuilt(shop, check=True) == wrong
    assert rows(shop) != before
    assert rebuilt(shop) == wrong
    assert rows(shop) == before


def test_features_of_what_nobody_bought_are_taken_away(shop: Api):
    learned(shop)
    before = rows(shop)
    change(shop, "UPDATE goods_features SET code = 'tea' WHERE code = 'coffee' AND")

    assert rebuilt(shop) == 6
    assert rows(shop) == before


def test_while_it_builds_nobody_follows(shop: Api):
    learned(shop)
    buy(shop, "o-9", customer_id="c-1")
    program_id, answers = shop.program.program_id, []

    def go() -> None:
        with shop.app.app_context(), transaction() as session:
            answers.append(follow_program(session, program_id))

    with shop.app.app_context(), transaction() as session:
        hold(session, NAME, program_id)
        thread = Thread(target=go)
        thread.start()
        thread.join()
    assert answers == [0]
    learned(shop)
    assert rebuilt(shop) == 0


def test_the_command_says_what_it_did(shop: Api, monkeypatch: pytest.MonkeyPatch):
    learned(shop)
    forgotten(shop)

    def run(*arguments: str) -> tuple[int, str]:
        with shop.app.app_context():
            done = CliRunner().invoke(_here(rebuild), ["--program", shop.program.code, *arguments])
        return done.exit_code, done.output.removeprefix(f"{shop.program.code}: ").strip()

    assert run("--check") == (1, "3 members, 21 rows would be corrected.")
    assert run() == (0, "3 members, 21 rows corrected.")
    assert run("--check") == (0, "3 members, 0 rows would be corrected.")


def _here(command: Any) -> Any:
    """The command in the application of the test."""
    command.callback = getattr(command.callback, "__wrapped__", command.callback)
    return command
