"""A shop with customers, and the requests that it sends. Every id has a fixed width, so requests have fixed lengths."""

import http.client
import itertools
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from bench import naive
from bench.load import request
from bench.stage import ROOT
from loyalty.core import clock
from loyalty.db.session import transaction
from loyalty.earning.domain import Line
from loyalty.imports.service import load
from loyalty.members.domain import NewMember
from loyalty.orders.domain import NewOrder
from loyalty.programs import queries as programs

CODE = "bench"
REWARD = "five-off"
REWARD_POINTS = 100
CUSTOMERS = 2_000
REPLAYED = 500
# Coprime to the number of customers: neighbours in time are never the same customer.
STRIDE = 773
# How many orders a customer has whose balance is read.
ORDERS_BEFORE = 5
# Ten million points, a hundred thousand redemptions, for each customer who redeems.
FORTUNE = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Shop:
    """The program of the run, as the outside and the inside know it."""

    program_id: UUID
    key: str
    placed_at: datetime


def open_shop(url: str, port: int) -> Shop:
    """Create the program through the command line, enrol everybody, give them a past."""
    command(url, "programs", "create", "--code", CODE)
    key = command(url, "keys", "create", "--program", CODE, "--scope", "admin").strip()
    with transaction() as session:
        program_id = programs.by_code(session, CODE).program_id
    shop = Shop(program_id, key, clock.now())
    customers = [NewMember(customer_id=customer) for kind in "obrk" for customer in customers_of(kind)]
    for _ in load(program_id, customers, _past(shop), now=shop.placed_at):
        pass
    reward = {
        "name": "5 off",
        "type": "discount_amount",
        "points": REWARD_POINTS,
        "value": {"amount": 500},
        "fulfilment": "code",
    }
    status, _, answer = call(port, "PUT", f"/v1/admin/rewards/{REWARD}", key, reward)
    assert status == 201, answer
    return shop


def open_branch(url: str, port: int, code: str, rules: list[dict[str, Any]]) -> Shop:
    """A program with rules of its own and customers who order, beside the first."""
    command(url, "programs", "create", "--code", code)
    key = command(url, "keys", "create", "--program", code, "--scope", "admin").strip()
    with transaction() as session:
        program_id = programs.by_code(session, code).program_id
    shop = Shop(program_id, key, clock.now())
    for _ in load(program_id, [NewMember(customer_id=c) for c in customers_of("o")], iter(()), now=shop.placed_at):
        pass
    for method, path, body in (("PUT", "draft", {"rules": rules}), ("POST", "publish", {})):
        status, _, answer = call(port, method, f"/v1/admin/earning-rules/{path}", key, body)
        assert status == 200, answer
    return shop


def customers_of(kind: str) -> list[str]:
    """Who orders (o), has a balance that is read (b), redeems (r), is loaded in bulk (k)."""
    return [f"{kind}-{number:04}" for number in range(CUSTOMERS)]


def _past(shop: Shop) -> Iterator[NewOrder]:
    for number in range(CUSTOMERS * ORDERS_BEFORE):
        customer = f"b-{number % CUSTOMERS:04}"
        yield new_order(f"past-{number}", customer, shop.placed_at, lines=3)
    for customer in customers_of("r"):
        yield new_order(f"fortune-{customer}", customer, shop.placed_at, lines=1, unit_price=FORTUNE)


def new_order(order_id: str, customer: str, placed_at: datetime, *, lines: int, unit_price: int = 1_999) -> NewOrder:
    """An order as the bulk path takes it."""
    return NewOrder(
        order_id=order_id,
        customer_id=customer,
        currency="EUR",
        placed_at=placed_at,
        lines=tuple(
            Line(
                line_id=str(n), sku=f"SKU-{n:04}", category="coffee > beans", quantity=1 + n % 2, unit_price=unit_price
            )
            for n in range(lines)
        ),
    )


def order_requests(placed_at: datetime, *, key: str, prefix: str = "n", count: int | None = None) -> Iterator[bytes]:
    """New orders of three lines, each of another customer than the one before."""
    lines = [
        {"line_id": str(n), "sku": f"SKU-{n:04}", "category": "coffee > beans", "quantity": 1 + n % 2,
         "unit_price": 1_999, "discount": 100}
        for n in range(3)
    ]  # fmt: skip
    body = {
        "order_id": f"{prefix}-@@@@@@@@@@",
        "customer_id": "o-####",
        "currency": "EUR",
        "placed_at": placed_at.isoformat(),
        "lines": lines,
        "channel": "web",
    }
    whole = request("POST", "/v1/orders", key=key, body=json.dumps(body, separators=(",", ":")).encode())
    start, order, rest = whole.partition(b"@@@@@@@@@@")
    middle, customer, end = rest.partition(b"####")
    assert order, "the place of the order id is in the request"
    assert customer, "the place of the customer is in the request"
    for number in itertools.count() if count is None else range(count):
        yield b"%b%010d%b%04d%b" % (start, number, middle, number * STRIDE % CUSTOMERS, end)


def balance_requests(shop: Shop) -> Iterator[bytes]:
    """Balances, one customer after the other."""
    made = [request("GET", f"/v1/members/{customer}/balance", key=shop.key) for customer in customers_of("b")]
    return itertools.cycle(made[n * STRIDE % CUSTOMERS] for n in range(CUSTOMERS))


def redemption_requests(shop: Shop) -> Iterator[bytes]:
    """Redemptions of a reward with a code of its own."""
    body = json.dumps({"reward": REWARD, "redemption_id": "x-@@@@@@@@@@"}).encode()
    whole = request("POST", "/v1/members/r-####/redemptions", key=shop.key, body=body)
    start, _, rest = whole.partition(b"####")
    middle, _, end = rest.partition(b"@@@@@@@@@@")
    for number in itertools.count():
        yield b"%b%04d%b%010d%b" % (start, number * STRIDE % CUSTOMERS, middle, number, end)


def bulk_batches(shop: Shop, *, size: int, lines: int) -> Iterator[list[NewOrder]]:
    """Batches of orders for the bulk path, never two of one customer in a batch."""
    numbers = itertools.count()
    while True:
        batch = list(itertools.islice(numbers, size))
        yield [new_order(f"k-{n:010}", f"k-{n * STRIDE % CUSTOMERS:04}", shop.placed_at, lines=lines) for n in batch]


def command(url: str, *arguments: str, check: bool = True) -> str:
    """Run a `loyalty` command; what it prints."""
    environment = {**os.environ, "DATABASE_URL": url}
    done = subprocess.run(
        [sys.executable, "-m", "loyalty.cli", *arguments],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if check and done.returncode:
        sys.exit(f"loyalty {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout + (done.stderr if done.returncode else "")


def call(port: int, method: str, path: str, key: str, body: Any = None) -> tuple[int, http.client.HTTPMessage, Any]:
    """One request, read as a whole."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        response = connection.getresponse()
        return response.status, response.headers, json.loads(response.read())
    finally:
        connection.close()


def prove_the_answers(shop: Shop, port: int, naive_port: int | None) -> None:
    """What is about to be measured does what it should, and both applications agree on the points."""
    order = json.loads(next(order_requests(shop.placed_at, key=shop.key, prefix="proof")).partition(b"\r\n\r\n")[2])
    status, headers, first = call(port, "POST", "/v1/orders", shop.key, order)
    assert (status, headers["Idempotent-Replayed"]) == (201, None), first
    status, headers, again = call(port, "POST", "/v1/orders", shop.key, order)
    assert (status, headers["Idempotent-Replayed"], again) == (201, "true", first), again
    status, _, balance = call(port, "GET", "/v1/members/b-0000/balance", shop.key)
    assert status == 200, balance
    assert balance["available"] > 0, balance
    wish = {"reward": REWARD, "redemption_id": "proof"}
    status, _, redemption = call(port, "POST", "/v1/members/r-0000/redemptions", shop.key, wish)
    assert status == 201, redemption
    assert redemption["voucher"]["code"], redemption
    if naive_port is not None:
        for _ in range(2):
            status, _, theirs = call(naive_port, "POST", "/v1/orders", naive.KEY, order)
            assert status == 201, theirs
            assert theirs["points"]["awarded"] == first["points"]["awarded"] > 0, (theirs, first)
            assert theirs["balance"]["available"] == first["balance"]["available"], (theirs, first)
