"""Three members redeem, in whatever order, and a naive model says what is left, what they have, and who has which code.

The suite tells the same stories each time. To tell others, or longer ones: `STORIES=2000 pytest …`.
"""

import os
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from flask import Flask
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from hypothesis.stateful import run_state_machine_as_test as run
from psycopg.rows import scalar_row

from loyalty.core.errors import DomainError
from loyalty.db.session import Session, db
from loyalty.ledger import balances
from loyalty.ledger.balances import Moment
from loyalty.rewards import catalogue, editing, expiring, queries, resolving, service
from loyalty.rewards.domain import NewRedemption
from tests.builders import NOW, a_member, a_program, a_reward
from tests.ledger.books import earn
from tests.rewards.proof import assert_redemptions_stand

STORIES = int(os.environ.get("STORIES", "12"))
STEPS = int(os.environ.get("STORY_STEPS", "40"))

MEMBERS = ["c-1", "c-2", "c-3"]
FORTUNE = 300
PRICE = 10
LIMIT = 6
TTL = 600
LIVE = ("held", "confirmed", "fulfilled")
# Of which kind each reward is.
REWARDS = {"counted": "code", "plain": "none", "pooled": "pool"}


@dataclass
class Made:
    """A redemption of the model."""

    member: str
    reward: str
    status: str
    until: datetime | None = None
    shown: bool = False


@dataclass
class Model:
    """What should be: how much of each reward was ever stocked, and what became of it."""

    stocked: dict[str, int] = field(default_factory=lambda: dict.fromkeys(REWARDS, 0))
    made: dict[str, Made] = field(default_factory=dict)

    def live(self, **wanted: str) -> list[Made]:
        """Redemptions that are held or were confirmed, of a member or a reward."""
        return [
            made for made in self.made.values()
            if made.status in LIVE and all(getattr(made, name) == value for name, value in wanted.items())
        ]  # fmt: skip

    def left(self, reward: str) -> int:
        lost = [
            made for made in self.made.values() if made.reward == reward and made.status == "cancelled" and made.shown
        ]
        return self.stocked[reward] - len(self.live(reward=reward)) - (len(lost) if reward == "pooled" else 0)

    def time_is(self, now: datetime) -> None:
        for made in self.made.values():
            if made.status == "held" and made.until is not None and made.until <= now:
                made.status = "expired"


class Story(RuleBasedStateMachine):
    """What happens at the counter, in the books and in the model."""

    app: Flask

    @initialize(stock=st.integers(0, 4), codes=st.integers(0, 4))
    def begins(self, stock: int, codes: int) -> None:
        self.stack = ExitStack()
        self.stack.enter_context(self.app.app_context())
        self.session = Session(self.stack.enter_context(db.engine.connect()))
        self.now, self.uploads, self.model = NOW, 0, Model()
        self.program = a_program(self.session)
        self.program_id = self.program.program_id
        for member in MEMBERS:
            earn(self.session, self.program, a_member(self.session, self.program, member), FORTUNE)
        for reward, kind in REWARDS.items():
            limited = None if kind == "pool" else stock
            a_reward(self.session, self.program, reward, points=PRICE, fulfilment=kind, stock=limited,
                     limits={"ever": LIMIT})  # fmt: skip
            self.model.stocked[reward] = 0 if kind == "pool" else stock
        if codes:
            self.codes_come(codes)

    def teardown(self) -> None:
        if hasattr(self, "stack"):
            self.session.finish(keep=False)
            self.stack.close()

    @rule(minutes=st.sampled_from((1, 5, 9, 10, 11, 60)))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)
        self.model.time_is(self.now)

    @rule()
    def the_job_runs(self) -> None:
        expiring.expire_program(self.session, self.program_id, now=self.now)

    @rule(count=st.integers(1, 3))
    def codes_come(self, count: int) -> None:
        codes = [f"GIFT-{self.uploads + number:05}" for number in range(count)]
        self.uploads += count
        editing.add_codes(self.session, self.program_id, "pooled", codes, now=self.now)
        self.model.stocked["pooled"] += count

    @rule(reward=st.sampled_from(("counted", "plain")), change=st.integers(-2, 3).filter(bool))
    def stock_comes_or_goes(self, reward: str, change: int) -> None:
        # What was kept for those whose time is over can be taken away once that is recorded.
        expiring.expire_program(self.session, self.program_id, now=self.now)
        allowed = self.model.left(reward) + change >= 0

        came = self.attempt(lambda: editing.change_stock(self.session, self.program_id, reward, change, now=self.now))

        assert came == (None if allowed else "stock-too-low")
        self.model.stocked[reward] += change if allowed else 0

    @rule(member=st.sampled_from(MEMBERS), reward=st.sampled_from([*REWARDS]), held=st.booleans())
    def somebody_redeems(self, member: str, reward: str, held: bool) -> None:
        redemption_id = f"r-{len(self.model.made)}"
        wish = NewRedemption(redemption_id=redemption_id, reward=reward, hold=held, hold_seconds=TTL)
        wanted = None
        if len(self.model.live(member=member, reward=reward)) >= LIMIT:
            wanted = "limit-reached"
        elif self.points(member) < PRICE:
            wanted = "insufficient-points"
        elif not self.model.left(reward):
            wanted = "out-of-stock"

        came = self.attempt(lambda: service.redeem_reward(self.session, self.program_id, member, wish, now=self.now))

        assert came == wanted
        if came is None:
            until = self.now + timedelta(seconds=TTL) if held else None
            self.model.made[redemption_id] = Made(member, reward, "held" if held else "confirmed", until, not held)

    @rule(which=st.floats(0, 1), verb=st.sampled_from(("confirm", "cancel", "fulfil")))
    def somebody_resolves(self, which: float, verb: str) -> None:
        if not self.model.made:
            return
        redemption_id = [*self.model.made][int(which * (len(self.model.made) - 1))]
        made = self.model.made[redemption_id]
        given = {"cancel": {"reason": None}, "fulfil": {"reference": None}}.get(verb, {})
        resolve: Any = getattr(resolving, verb)

        came = self.attempt(lambda: resolve(self.session, self.program_id, redemption_id, **given, now=self.now))

        becomes = {
            ("held", "confirm"): "confirmed", ("held", "cancel"): "cancelled", ("confirmed", "cancel"): "cancelled",
            ("confirmed", "fulfil"): "fulfilled", ("cancelled", "cancel"): "cancelled",
            ("fulfilled", "fulfil"): "fulfilled",
        }.get((made.status, verb))  # fmt: skip
        if verb == "confirm" and made.until is not None and made.status in ("confirmed", "fulfilled"):
            becomes = made.status
        if becomes is None:
            wanted = "redemption-not-confirmed" if (made.status, verb) == ("held", "fulfil") else "redemption-resolved"
            assert came == wanted
        else:
            assert came is None
            made.status, made.shown = becomes, made.shown or becomes == "confirmed"

    @invariant()
    def the_books_say_what_the_model_says(self) -> None:
        if not hasattr(self, "stack"):
            return
        for reward in REWARDS:
            found = catalogue.reward(self.session, self.program_id, reward, now=self.now)
            assert found.left == self.model.left(reward), reward
        for member in MEMBERS:
            seen = balances.balance(self.session, self.program_id, member, "points", Moment(now=self.now))
            held = sum(made.status == "held" for made in self.model.live(member=member))
            assert (seen.available, seen.held) == (self.points(member), PRICE * held)
        for redemption_id, made in self.model.made.items():
            shown = queries.redemption(self.session, self.program_id, redemption_id, now=self.now)
            assert shown.status == made.status
        codes = self.session.rows(
            "SELECT voucher_code FROM redemptions WHERE program_id = %s AND voucher_code IS NOT NULL",
            (self.program_id,), into=scalar_row,
        )  # fmt: skip
        assert len(set(codes)) == len(codes)
        assert_redemptions_stand(self.session, self.program_id, UUID(int=0))

    def points(self, member: str) -> int:
        return FORTUNE - PRICE * len(self.model.live(member=member))

    def attempt(self, what: Callable[[], Any]) -> str | None:
        """Do it; answers the code of the refusal. A refusal leaves nothing behind."""
        self.session.run("SAVEPOINT before")
        try:
            answer = what()
            assert not hasattr(answer, "body") or orjson.loads(answer.body)
        except DomainError as refusal:
            self.session.run("ROLLBACK TO before")
            return refusal.code
        return None


def test_whatever_members_redeem_in_whatever_order_nothing_is_lost_or_given_twice(app: Flask):
    Story.app = app
    run(
        Story,
        settings=settings(
            max_examples=STORIES, stateful_step_count=STEPS, deadline=None, derandomize=True, database=None,
            suppress_health_check=list(HealthCheck), print_blob=False,
        ),
    )  # fmt: skip
