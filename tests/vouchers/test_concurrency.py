"""Orders that meet at one voucher."""

from collections import Counter

import pytest

from tests.api import Api
from tests.builders import NOW
from tests.clocks import it_is
from tests.orders.test_concurrency import in_parallel
from tests.shop import replayed
from tests.vouchers.builders import a_voucher, ask, batch, redeem


@pytest.fixture(autouse=True)
def today(monkeypatch: pytest.MonkeyPatch) -> None:
    it_is(monkeypatch, NOW)


def used(api: Api, code: str) -> int:
    return api.get(f"/v1/vouchers/{code}").json["uses"]["used"]


def test_of_thirty_two_orders_at_once_five_use_a_voucher_for_five(api: Api):
    code = a_voucher(api, uses_allowed=5)

    answers = in_parallel(32, lambda number: redeem(api, code, f"A-{number}"))

    assert Counter(answer.status_code for answer in answers) == {201: 5, 422: 27}
    assert {answer.json["code"] for answer in answers if answer.status_code == 422} == {"voucher-used-up"}
    assert sorted(answer.json["uses"]["used"] for answer in answers if answer.status_code == 201) == [1, 2, 3, 4, 5]
    assert used(api, code) == 5


def test_one_order_sent_six_times_at_once_uses_a_voucher_once(api: Api):
    code = a_voucher(api, uses_allowed=5)

    answers = in_parallel(6, lambda _: redeem(api, code, "A-1"))

    assert [answer.status_code for answer in answers] == [201] * 6
    assert len({answer.get_data() for answer in answers}) == 1
    assert sum(replayed(answer) for answer in answers) == 5
    assert used(api, code) == 1


def test_one_release_sent_six_times_at_once_gives_one_use_back(api: Api):
    code = a_voucher(api, uses_allowed=5)
    for number in range(3):
        redeem(api, code, f"A-{number}")

    answers = in_parallel(6, lambda _: ask(api, "release", code, "A-1"))

    assert [answer.status_code for answer in answers] == [200] * 6
    assert sum(replayed(answer) for answer in answers) == 5
    assert used(api, code) == 2


def test_a_customer_with_eight_orders_at_once_uses_no_more_than_each_may(api: Api):
    api.enrol("c-42")
    code = a_voucher(api, uses_allowed=None, per_customer=2)

    answers = in_parallel(8, lambda number: redeem(api, code, f"A-{number}", customer_id="c-42"))

    assert Counter(answer.status_code for answer in answers) == {201: 2, 422: 6}
    assert used(api, code) == 2


def test_a_voucher_is_either_used_or_withdrawn(api: Api):
    codes = [a_voucher(api, f"CODE-{number}") for number in range(6)]

    def either(number: int):
        code = codes[number // 2]
        if number % 2:
            return redeem(api, code)
        return api.post(f"/v1/admin/vouchers/{code}/void", {"reason": "leaked"})

    answers = in_parallel(6, either)

    for voided, redeemed in zip(answers[::2], answers[1::2], strict=True):
        assert {voided.status_code, redeemed.status_code} in ({200, 422}, {409, 201})


def test_of_two_uploads_of_the_same_codes_at_once_one_wins(api: Api):
    codes = [f"CODE-{number}" for number in range(200)]

    answers = in_parallel(2, lambda number: batch(api, *codes[:: 1 - 2 * number], batch_id=f"b-{number}"))

    assert Counter(answer.status_code for answer in answers) == {201: 1, 422: 1}
    assert next(a.json for a in answers if a.status_code == 422)["count"] == 200
