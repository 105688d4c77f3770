"""A program whose members have offers: what they bought is known, and what they are offered is given already."""

import itertools
from collections.abc import Iterator

import orjson

from bench.load import request
from bench.shop import STRIDE, Shop, call, command
from loyalty.core import clock
from loyalty.db.session import transaction
from loyalty.imports.service import load
from loyalty.members.domain import NewMember
from loyalty.programs import queries as programs
from loyalty.programs import service

CODE = "bench-offers"
MEMBERS = 100
OFFERS = 200
# What a member of a supermarket has bought, by the public data.
CATEGORIES = 155

_PUBLISH = """
INSERT INTO offer_sets (program_id, version, offers, published_at, published_by) VALUES (%s, 1, %s, now(), 'bench')
"""
_FEATURES = """
INSERT INTO member_features (
    member_id, program_id, orders, spend, gross, weight, visits, worth, first_at, last_at, redeemed, redeemed_weight)
SELECT member_id, program_id, 40, 400000, 420000, 2e3, 1e5, 1e9, now() - interval '400 days', now(), 0, 0
FROM members WHERE program_id = %s
"""
_GOODS = """
INSERT INTO goods_features (member_id, level, code, orders, quantity, spend, weight, first_at, last_at, recent)
SELECT m.member_id, 'category', 'c-' || c.n, 1 + mod(c.n, 20), 1 + mod(c.n, 30), 100 * c.n, 100 + c.n,
       now() - interval '1 day' * (100 + c.n), now() - interval '1 day' * mod(c.n, 90), ARRAY['A-1', 'A-2', 'A-3']
FROM members m CROSS JOIN generate_series(1, %s) AS c (n) WHERE m.program_id = %s
"""


def open_with_offers(url: str, port: int) -> Shop:
    """A program with offers in force, and members who have bought and have been given ten of them."""
    command(url, "programs", "create", "--code", CODE)
    key = command(url, "keys", "create", "--program", CODE, "--scope", "admin").strip()
    offers = [
        {
            "code": f"o-{n}", "title": f"Offer {n}", "promise": {"kind": "bonus_points", "value": "100"},
            "categories": [f"c-{n}"], **({"when": "history.orders >= 0"} if n % 3 == 0 else {}),
        }
        for n in range(OFFERS)
    ]  # fmt: skip
    with transaction() as session:
        program_id = programs.by_code(session, CODE).program_id
        service.touch(session, program_id)
        session.run(_PUBLISH, (program_id, orjson.dumps(offers).decode()))
    shop = Shop(program_id, key, clock.now())
    for _ in load(program_id, [NewMember(customer_id=each) for each in _members()], iter(()), now=shop.placed_at):
        pass
    with transaction() as session:
        session.run(_FEATURES, (program_id,))
        session.run(_GOODS, (CATEGORIES, program_id))
    for each in _members():
        status, _, answer = call(port, "GET", f"/v1/members/{each}/offers", key)
        assert status == 200, answer
        assert len(answer["data"]) == 10, answer
    return shop


def offer_requests(shop: Shop) -> Iterator[bytes]:
    """What members are offered, one after the other."""
    made = [request("GET", f"/v1/members/{each}/offers", key=shop.key) for each in _members()]
    return itertools.cycle(made[n * STRIDE % MEMBERS] for n in range(MEMBERS))


def _members() -> list[str]:
    return [f"f-{number:04}" for number in range(MEMBERS)]
