"""Rules for segments, tried on orders that were placed."""

from flask import Flask

from loyalty.db.session import transaction
from tests.api import Api
from tests.builders import NOW, a_key, a_program
from tests.learning.habits import learnt
from tests.rehearsals.builders import DAY, bonus, buy, enrol, rehearsed, rule


def test_a_rehearsal_asks_for_features_as_they_are_now(committed_db: Flask):
    with transaction() as session:
        program = a_program(session)
        api = Api(committed_db, program, a_key(session, program))
    enrol(program, "ann", "bob")
    first = buy(program, "ann", NOW - 30 * DAY)
    second = buy(program, "ann", NOW - 10 * DAY)
    buy(program, "bob", NOW - DAY)
    learnt(api, 30, 10, customer_id="ann", redeemed=1)

    result = rehearsed(program, bonus(100, segments=["redeemers"]))

    assert rule(result, "bonus")["awards"] == 2
    assert sorted(rule(result, "bonus")["examples"]) == sorted([first.order_id, second.order_id])
    assert rule(result, "bonus")["refused"] == {"segments": 1}
