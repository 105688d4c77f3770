"""Redemptions that meet, on real threads and real connections: who wins has it, the others are told why."""

import random
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest
from psycopg.rows import scalar_row, tuple_row

from loyalty.core.errors import DomainError
from loyalty.db.session import Session, transaction
from loyalty.rewards import expiring, resolving, service
from loyalty.rewards.domain import NewRedemption
from tests.api import Api
from tests.builders import NOW
from tests.clocks import it_is
from tests.orders.test_concurrency import in_parallel
from tests.rewards import desk
from tests.rewards.desk import TTL, cancel, confirm, facts, fulfil, hold, left, offer, redeem, status
from tests.shop import buckets, replayed

CROWD = 64
OVER = NOW + timedelta(seconds=TTL)
JUST_IN_TIME = OVER - timedelta(microseconds=1)
ROUNDS = 25
JITTER_SECONDS = 0.01


@pytest.fixture(autouse=True)
def today(monkeypatch: pytest.MonkeyPatch) -> None:
    it_is(monkeypatch, NOW)


def crowd(api: Api) -> None:
    """As many members as threads, each with 100 points."""
    for number in range(CROWD):
        desk.enrol(api, f"c-{number}")


def statuses(answers: list[Any]) -> dict[int, int]:
    return dict(Counter(answer.status_code for answer in answers))


@pytest.mark.parametrize("wish", [redeem, hold])
def test_of_sixty_four_who_want_one_of_ten_at_once_ten_get_it_and_the_others_lose_nothing(
    api: Api, wish: Callable[..., Any]
):
    crowd(api)
    offer(api, points=30, stock=10, low_stock=3)

    answers = in_parallel(CROWD, lambda number: wish(api, f"r-{number}", f"c-{number}"))

    assert statuses(answers) == {201: 10, 422: 54}
    assert {answer.json["code"] for answer in answers if answer.status_code == 422} == {"out-of-stock"}
    assert left(api) == 0
    won = {"available": 70} if wish is redeem else {"available": 70, "held": 30}
    for number, answer in enumerate(answers):
        assert buckets(api, f"c-{number}") == (won if answer.status_code == 201 else {"available": 100})
    assert sorted(facts(api, "reward.")) == ["out_of_stock", "published", "stock_low"]


def test_of_sixty_four_who_want_one_of_ten_codes_at_once_ten_get_one_each(api: Api):
    crowd(api)
    offer(api, points=30, fulfilment="pool")
    codes = desk.upload(api, 10)

    answers = in_parallel(CROWD, lambda number: redeem(api, f"r-{number}", f"c-{number}"))

    assert statuses(answers) == {201: 10, 422: 54}
    assert sorted(answer.json["voucher"]["code"] for answer in answers if answer.status_code == 201) == codes
    assert left(api) == 0


def test_who_holds_a_code_of_a_pool_gets_one_however_many_want_one_at_that_instant(api: Api):
    crowd(api)
    offer(api, points=30, fulfilment="pool")
    desk.upload(api, 20)
    for number in range(10):
        assert hold(api, f"h-{number}", f"c-{number}").status_code == 201

    def meet(number: int) -> Any:
        return confirm(api, f"h-{number}") if number < 10 else redeem(api, f"r-{number}", f"c-{number}")

    answers = in_parallel(CROWD, meet)

    assert statuses(answers[:10]) == {200: 10}
    assert statuses(answers[10:]) == {201: 10, 422: 44}
    assert len({answer.json["voucher"]["code"] for answer in answers if answer.status_code < 300}) == 20


def test_of_two_redemptions_of_the_last_points_at_once_one_wins(api: Api):
    desk.enrol(api)
    offer(api, points=100)

    answers = in_parallel(2, lambda number: redeem(api, f"r-{number}"))

    assert statuses(answers) == {201: 1, 422: 1}
    refused = next(answer.json for answer in answers if answer.status_code == 422)
    assert (refused["code"], refused["required"], refused["available"]) == ("insufficient-points", 100, 0)
    assert buckets(api) == {}


@pytest.mark.parametrize("wish", [redeem, hold])
def test_the_same_redemption_sent_six_times_at_once_is_made_once_and_replayed_five_times(
    api: Api, wish: Callable[..., Any]
):
    desk.enrol(api)
    offer(api, points=10, stock=9)

    answers = in_parallel(6, lambda _: wish(api))

    assert statuses(answers) == {201: 6}
    assert Counter(replayed(answer) for answer in answers) == {False: 1, True: 5}
    assert len({answer.data for answer in answers}) == 1
    assert (left(api), buckets(api)["available"]) == (8, 90)


@pytest.mark.parametrize("verb", [confirm, cancel])
def test_the_same_resolution_sent_six_times_at_once_happens_once(api: Api, verb: Callable[..., Any]):
    desk.enrol(api)
    offer(api, points=10, stock=9)
    hold(api)

    answers = in_parallel(6, lambda _: verb(api))

    assert statuses(answers) == {200: 6}
    assert Counter(replayed(answer) for answer in answers) == {False: 1, True: 5}
    assert len({answer.data for answer in answers}) == 1
    assert facts(api) == ["held", {confirm: "confirmed", cancel: "cancelled"}[verb]]


def test_of_a_confirmation_and_a_cancellation_at_once_the_second_finds_what_the_first_did(api: Api):
    desk.enrol(api)
    offer(api, points=10, stock=99)
    for number in range(ROUNDS):
        hold(api, f"r-{number}")
        verbs = [confirm, cancel, fulfil]
        random.shuffle(verbs)

        answers = in_parallel(3, lambda n, v=verbs, r=number: v[n](api, f"r-{r}"))

        by_verb = {verb: answer.status_code for verb, answer in zip(verbs, answers, strict=True)}
        assert (by_verb[confirm], by_verb[cancel]) in {(200, 200), (200, 409), (409, 200)}
        assert status(api, f"r-{number}") in {"cancelled", "fulfilled"}
        if status(api, f"r-{number}") == "fulfilled":
            assert cancel(api, f"r-{number}").status_code == 409
            break
    given = sum(status(api, f"r-{n}") == "fulfilled" for n in range(number + 1))
    assert (left(api), buckets(api)) == (99 - given, {"available": 100 - 10 * given})


# At the instant of expiry, on servers whose clocks differ by a microsecond


def _confirm(session: Session, api: Api, number: int) -> Any:
    return resolving.confirm(session, api.program.program_id, f"r-{number}", now=JUST_IN_TIME)


def _cancel(session: Session, api: Api, number: int) -> Any:
    return resolving.cancel(session, api.program.program_id, f"r-{number}", reason=None, now=JUST_IN_TIME)


def _expire(session: Session, api: Api, _: int) -> Any:
    return expiring.expire_program(session, api.program.program_id, now=OVER)


def _reclaim(session: Session, api: Api, number: int) -> Any:
    wish = NewRedemption(redemption_id=f"n-{number}", reward=f"w-{number}")
    return service.redeem_reward(session, api.program.program_id, "c-43", wish, now=OVER)


def _again(session: Session, api: Api, number: int) -> Any:
    wish = NewRedemption(redemption_id=f"a-{number}", reward=f"w-{number}")
    return service.redeem_reward(session, api.program.program_id, "c-42", wish, now=OVER)


def attempt(api: Api, what: Callable[..., Any], number: int) -> str:
    """Try it after a moment; answers what came of it."""
    time.sleep(random.uniform(0, JITTER_SECONDS))
    try:
        with api.app.app_context(), transaction() as session:
            done = what(session, api, number)
    except DomainError as refusal:
        return refusal.code
    return str(done) if isinstance(done, int) else str(orjson.loads(done.body)["status"])


_COUNT = "SELECT count(*) FROM redemptions WHERE program_id = %s AND status = 'confirmed'"
# Of one there was: what is left, what is kept, and what was given. A code that was shown to somebody was given.
_ONE = """
SELECT s.remaining, (SELECT count(*) FROM stock_holds h WHERE h.program_id = s.program_id AND h.reward_code = s.code),
  (SELECT count(*) FROM redemptions r WHERE r.program_id = s.program_id AND r.reward_code = s.code
   AND (r.status = 'confirmed' OR r.fulfilment = 'pool' AND r.confirmed_at IS NOT NULL))
FROM reward_stock s WHERE s.program_id = %s AND s.code = %s
"""


@pytest.mark.parametrize("fulfilment", ["none", "pool"])
@pytest.mark.parametrize(
    "verbs",
    [[_confirm, _expire, _reclaim], [_cancel, _expire, _reclaim], [_confirm, _cancel, _expire, _reclaim, _again]],
    ids=["confirm", "cancel", "all"],
)
def test_a_hold_that_times_out_while_it_is_resolved_has_one_outcome(
    api: Api, verbs: list[Callable[..., Any]], fulfilment: str
):
    desk.enrol(api, "c-42", 10 * ROUNDS)
    desk.enrol(api, "c-43", 10 * ROUNDS)
    seen: Counter[tuple[str, ...]] = Counter()
    for number in range(ROUNDS):
        offer(api, f"w-{number}", points=5, fulfilment=fulfilment, stock=None if fulfilment == "pool" else 1)
        if fulfilment == "pool":
            desk.upload(api, 1, f"w-{number}", prefix=f"CODE-{number}")
        with api.app.app_context(), transaction() as session:
            wish = NewRedemption(redemption_id=f"r-{number}", reward=f"w-{number}", hold=True, hold_seconds=TTL)
            service.redeem_reward(session, api.program.program_id, "c-42", wish, now=NOW)

        came = in_parallel(len(verbs), lambda n, r=number: attempt(api, verbs[n], r))

        seen[tuple(came)] += 1
        with api.app.app_context(), transaction() as session:
            (counted,) = session.rows(_ONE, (api.program.program_id, f"w-{number}"), into=tuple_row)
        assert sum(counted) == 1, (came, counted)
        confirmed = [what for what in came if what == "confirmed"]
        assert len(confirmed) <= 1 or _cancel in verbs, came
    it_is_over(api)
    with api.app.app_context(), transaction() as session:
        given = session.row(_COUNT, (api.program.program_id,), into=scalar_row)
        held = session.row("SELECT count(*) FROM stock_holds WHERE program_id = %s AND reward_code <> ''",
                           (api.program.program_id,), into=scalar_row)  # fmt: skip
    assert held == 0
    assert available(api, OVER) == 2 * 10 * ROUNDS - 5 * given, seen


def it_is_over(api: Api) -> None:
    """Record what nobody has recorded."""
    while desk.expire(api, OVER):
        pass


def available(api: Api, now: datetime) -> int:
    """What both members can spend."""
    with pytest.MonkeyPatch.context() as patch:
        it_is(patch, now)
        return sum(buckets(api, customer_id).get("available", 0) for customer_id in ("c-42", "c-43"))
