"""How members buy is read in one statement, by key."""

import pytest
from psycopg.rows import scalar_row

from loyalty.core.ids import new_id
from loyalty.db.session import reading, transaction
from loyalty.features import keeping, queries
from loyalty.features.domain import NO_FEATURES
from loyalty.features.queries import features_of
from tests.api import Api
from tests.learning.learned import learned, member_of
from tests.shop import a_line, buy, configure
from tests.statements import statements


@pytest.fixture
def shop(api: Api) -> Api:
    configure(api, auto_enrol=True)
    for number in (1, 2):
        line = a_line(str(number), 500, category="coffee > beans")
        buy(api, f"o-{number}", line, a_line("3", 300), customer_id=f"c-{number}")
    learned(api)
    return api


def test_of_several_members_in_one_statement(shop: Api):
    with shop.app.app_context(), reading() as session:
        ann, bob, nobody = member_of(session, shop, "c-1"), member_of(session, shop, "c-2"), new_id()
        with statements() as sent:
            found = features_of(session, [ann, bob, nobody], skus=["SKU-1", "SKU-3"])
    assert len(sent) == 1
    assert found[nobody] is NO_FEATURES
    assert [set(found[each].skus) for each in (ann, bob)] == [{"SKU-1", "SKU-3"}, {"SKU-3"}]
    assert [found[each].categories["coffee > beans"].recent for each in (ann, bob)] == [("o-1",), ("o-2",)]


def test_without_categories_where_nobody_asks_for_them(shop: Api):
    with shop.app.app_context(), reading() as session:
        ann = member_of(session, shop, "c-1")
        found = features_of(session, [ann], levels=())[ann]
    assert (found.buying.orders, found.categories, found.skus) == (1, {}, {})


def test_rows_are_found_by_their_keys(shop: Api):
    asked = {"members": f"{{{new_id()}}}", "categories": True, "skus": "{a,b}", "recent": True}
    with shop.app.app_context(), transaction() as session:
        session.run("SET LOCAL enable_seqscan = off")
        plan = "\n".join(session.rows(f"EXPLAIN {queries._FEATURES}", asked, into=scalar_row))
        some = "\n".join(session.rows(f"EXPLAIN {keeping._SOME}", (f"{{{new_id()}}}", "{sku}", "{a}"), into=scalar_row))
    assert "Seq Scan" not in plan + some
    assert "pk_goods_features" in plan
    assert "pk_goods_features" in some
