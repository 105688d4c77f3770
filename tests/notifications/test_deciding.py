"""Whether a message is sent, and when: members are not disturbed, not flooded, and not told what they refused."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.notifications.deciding import decide
from loyalty.notifications.domain import (
    CHANNELS,
    REASONS,
    Caps,
    Defer,
    Digest,
    Message,
    QuietHours,
    Send,
    Settings,
    Suppress,
)
from loyalty.templates.kinds import KINDS
from tests.notifications.waiting import NOON, a_message, a_recipient

EVERYWHERE = Settings(channels=frozenset(CHANNELS), digest=None)
A_NIGHT = QuietHours(time(21), time(8))


def told(*messages: Message, settings: Settings = EVERYWHERE, now: datetime = NOON, **recipient: Any) -> list[Any]:
    """What is decided, as: the messages that go together, the reason, or the instant."""
    shown: list[Any] = []
    for each in decide(messages, a_recipient(**recipient), settings, now=now):
        if isinstance(each, Send):
            shown.append(len(each.messages))
        else:
            shown.append(each.reason if isinstance(each, Suppress) else each.until)
    return shown


def at(hour: int, minute: int = 0, *, day: int = 11) -> datetime:
    """An instant by the clocks of Riga, which is two hours ahead in March."""
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC) - timedelta(hours=2)


@pytest.mark.parametrize("channel", CHANNELS)
def test_what_nobody_objects_to_is_sent(channel: str):
    assert told(a_message(channel=channel)) == [1]


@pytest.mark.parametrize(
    ("message", "recipient", "reason"),
    [
        ({}, {"status": "suspended"}, "member_suspended"),
        ({"channel": "inbox"}, {"status": "suspended"}, "member_suspended"),
        ({}, {"status": "closed"}, "member_closed"),
        ({"channel": "webhook"}, {"status": "closed"}, "member_closed"),
        ({}, {"email": None}, "no_address"),
        ({"channel": "apprise"}, {"email": None, "phone": None}, "no_address"),
        ({"kind": "new_reward"}, {"consents": {}}, "no_consent"),
        ({"kind": "new_reward"}, {"consents": {"email": False}}, "no_consent"),
        # Consent is a clear yes, not something that a shop may have put there.
        ({"kind": "new_reward"}, {"consents": {"email": "yes"}}, "no_consent"),
        ({"kind": "new_reward"}, {"consents": {"apprise": True}}, "no_consent"),
        ({}, {"prefers": {"channels": {"email": False}}}, "channel_refused"),
        ({}, {"prefers": {"kinds": {"points_expiring": {"email": False}}}}, "kind_refused"),
        ({"channel": "inbox"}, {"prefers": {"kinds": {"points_expiring": {"inbox": False}}}}, "kind_refused"),
        ({"outdated_at": NOON}, {}, "outdated"),
    ],
)
def test_what_is_not_sent_says_why(message: dict[str, Any], recipient: dict[str, Any], reason: str):
    assert told(a_message(**message), **recipient) == [reason]
    assert reason in REASONS


@pytest.mark.parametrize(
    ("message", "recipient"),
    [
        # What is about one's own points needs no consent to marketing.
        ({}, {"consents": {}}),
        ({"kind": "voucher_issued"}, {"consents": {}}),
        # Whoever opens the inbox looks for news.
        ({"kind": "new_reward", "channel": "inbox"}, {"consents": {}}),
        ({"channel": "inbox"}, {"email": None, "phone": None}),
        ({"channel": "apprise"}, {"email": None}),
        ({}, {"prefers": {"channels": {"inbox": False}}}),
        ({}, {"prefers": {"kinds": {"new_reward": {"email": False}}}}),
        ({"outdated_at": NOON + timedelta(seconds=1)}, {}),
    ],
)
def test_what_is_refused_elsewhere_keeps_nothing_back(message: dict[str, Any], recipient: dict[str, Any]):
    assert told(a_message(**message), **recipient) == [1]


def test_a_kind_goes_where_the_program_still_sends_it():
    only_inbox = Settings(channels=frozenset({"inbox", "email"}), kinds={"points_expiring": frozenset({"inbox"})})

    assert told(a_message(), settings=only_inbox) == ["channel_off"]
    assert told(a_message(channel="apprise"), settings=only_inbox) == ["channel_off"]
    assert told(a_message("points_earned"), settings=only_inbox) == ["channel_off"], (
        "with every order: to the inbox only"
    )


@pytest.mark.parametrize(
    ("now", "until"),
    [
        (at(20, 59), None),
        (at(21), at(8, day=12)),
        (at(23, 59), at(8, day=12)),
        (at(0), at(8)),
        (at(7, 59), at(8)),
        (at(8), None),
    ],
)
def test_nobody_is_disturbed_at_night(now: datetime, until: datetime | None):
    assert told(a_message(), now=now, settings=EVERYWHERE) == [until or 1]


def test_quiet_hours_are_those_of_the_member():
    late = at(22)
    assert told(a_message(), now=late, prefers={"quiet_hours": QuietHours(time(12), time(14))}) == [1]
    assert told(a_message(), now=at(13), prefers={"quiet_hours": QuietHours(time(12), time(14))}) == [at(14)]
    assert told(a_message(), now=late, time_zone="America/New_York") == [1]
    assert told(a_message(), now=at(14), time_zone="Asia/Tokyo") == [datetime(2026, 3, 11, 23, tzinfo=UTC)]


def test_some_things_do_not_wait_and_some_disturb_nobody():
    night = at(23)
    assert told(a_message("voucher_issued"), now=night) == [1]
    assert told(a_message(channel="inbox"), now=night) == [1]
    assert told(a_message(channel="webhook"), now=night) == [1]
    assert told(a_message(channel="apprise"), now=night) == [at(8, day=12)]


def test_the_night_on_which_the_clocks_go_forward_ends_by_the_clock():
    # Riga, 29 March 2026: 03:00 becomes 04:00, so the night is an hour shorter.
    evening = datetime(2026, 3, 28, 20, 0, tzinfo=UTC)
    assert told(a_message(), now=evening) == [datetime(2026, 3, 29, 5, 0, tzinfo=UTC)]
    assert datetime(2026, 3, 29, 5, tzinfo=UTC) - datetime(2026, 3, 28, 19, tzinfo=UTC) == timedelta(hours=10)


def test_no_more_marketing_in_a_day_than_agreed():
    offers = [a_message("new_reward") for _ in range(3)]

    assert told(*offers) == [1, 1, "frequency_cap"]
    assert told(offers[0], marketing_sent_at=(at(9), at(10))) == ["frequency_cap"]
    assert told(offers[0], marketing_sent_at=(at(9), at(23, day=10))) == [1], "yesterday is another day"


def test_no_more_marketing_in_a_week_than_agreed():
    weekly = Settings(channels=frozenset({"email"}), caps=Caps(day=None, week=2), digest=None)
    monday, sunday = at(12, day=9), at(12, day=8)

    assert told(a_message("new_reward"), settings=weekly, marketing_sent_at=(sunday, monday)) == [1]
    assert told(a_message("new_reward"), settings=weekly, marketing_sent_at=(monday, at(9))) == ["frequency_cap"]


def test_caps_are_for_marketing_that_is_sent_out():
    had_enough = {"marketing_sent_at": (at(8), at(9))}
    assert told(a_message(), **had_enough) == [1]
    assert told(a_message("new_reward", "inbox"), **had_enough) == [1]
    assert told(a_message("new_reward", "webhook"), **had_enough) == ["frequency_cap"]
    no_caps = Settings(channels=frozenset({"email"}), caps=Caps(day=None, week=None), digest=None)
    assert told(*(a_message("new_reward") for _ in range(30)), settings=no_caps) == [1] * 30


BURSTS = Settings(channels=frozenset(CHANNELS), digest=Digest(minutes=15, least=3))


def test_a_burst_becomes_one_message():
    burst = [a_message(), a_message("tier_up"), a_message("points_expired")]

    assert told(*burst, settings=BURSTS) == [3]
    assert told(*burst[:2], settings=BURSTS) == [1, 1]
    assert told(*(a_message(channel="inbox") for _ in range(5)), settings=BURSTS) == [1] * 5
    assert told(*(a_message(channel="webhook") for _ in range(5)), settings=BURSTS) == [1] * 5


def test_marketing_does_not_travel_with_what_it_may_be_refused_apart_from():
    both = [a_message(), a_message("new_reward"), a_message(), a_message("new_reward"), a_message()]

    assert told(*both, settings=BURSTS) == [3, 1, 1]
    assert told(*both, a_message("new_reward"), settings=BURSTS) == [3, 3]


def test_a_digest_counts_once_against_a_cap():
    offers = [a_message("new_reward") for _ in range(5)]

    assert told(*offers, settings=BURSTS, marketing_sent_at=(at(8),)) == [5]
    assert told(*offers, settings=BURSTS, marketing_sent_at=(at(8), at(9))) == ["frequency_cap"] * 5


def test_what_cannot_wait_is_not_put_into_a_digest():
    assert told(a_message(), a_message("voucher_issued"), a_message(), a_message(), settings=BURSTS) == [3, 1]


def test_a_digest_has_an_end():
    assert told(*(a_message() for _ in range(45)), settings=BURSTS) == [20, 20, 5]


def test_who_wants_a_digest_a_day_gets_it_in_the_morning():
    wants = {"prefers": {"digest": "daily"}}
    early, late = a_message(created_at=at(7)), a_message(created_at=at(10))

    assert told(early, now=at(8, 30), **wants) == [at(9)]
    assert told(early, now=at(9), **wants) == [1]
    assert told(late, now=at(12), **wants) == [at(9, day=12)]
    assert told(early, late, now=at(9, day=12), **wants) == [2]


def test_who_wants_a_digest_a_week_gets_it_on_monday():
    wants = {"prefers": {"digest": "weekly"}}
    next_monday = at(9, day=16)

    assert told(a_message(created_at=at(12)), now=at(12, 15), **wants) == [next_monday]
    assert told(a_message(created_at=at(8, day=9)), now=at(8, 5, day=9), **wants) == [at(9, day=9)]
    assert told(*(a_message(created_at=at(12)) for _ in range(2)), now=next_monday, **wants) == [2]


def test_a_voucher_does_not_wait_for_a_digest():
    assert told(a_message("voucher_issued"), prefers={"digest": "weekly"}) == [1]


KIND = st.sampled_from([kind for kind in KINDS if kind != "digest"])
SENT = st.lists(st.integers(0, 8 * 24 * 60).map(lambda minutes: NOON - timedelta(minutes=minutes)), max_size=8)


@given(
    kinds=st.lists(KIND, max_size=12),
    channel=st.sampled_from(CHANNELS),
    sent=SENT,
    wants=st.sampled_from(["off", "daily", "weekly"]),
    hours=st.integers(0, 30 * 24),
    day=st.none() | st.integers(0, 4),
    least=st.none() | st.integers(2, 6),
    status=st.sampled_from(["active", "suspended", "closed"]),
)
@settings(max_examples=200)
def test_each_message_is_decided_once_and_nobody_gets_more_than_agreed(
    kinds, channel, sent, wants, hours, day, least, status
):
    now = NOON + timedelta(hours=hours)
    waiting = [a_message(kind, channel) for kind in kinds]
    rules = Settings(
        channels=frozenset(CHANNELS), caps=Caps(day=day, week=None), digest=least and Digest(minutes=5, least=least)
    )
    who = a_recipient(status=status, marketing_sent_at=tuple(sent), prefers={"digest": wants})

    decided = decide(waiting, who, rules, now=now)

    of_each = [m for d in decided for m in (d.messages if isinstance(d, Send) else (d.message,))]
    assert sorted(m.seq for m in of_each) == sorted(m.seq for m in waiting)
    sends = [d for d in decided if isinstance(d, Send)]
    assert all(d.until > now for d in decided if isinstance(d, Defer))
    assert all(len({m.is_marketing for m in send.messages}) == 1 for send in sends)
    assert not sends or status == "active"
    if channel in {"email", "apprise", "webhook"} and day is not None:
        assert sum(send.messages[0].is_marketing for send in sends) <= day
    for send in sends:
        assert [m.seq for m in send.messages] == sorted(m.seq for m in send.messages)
