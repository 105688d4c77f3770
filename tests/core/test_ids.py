"""Internal ids, secrets and the fingerprints of requests."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.core.ids import fingerprint, new_id, secret_token

TEN_UTC = datetime(2026, 3, 1, 10, tzinfo=UTC)

texts = st.text('ab"\\é', max_size=3)
plain_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=10,
)


@dataclass(frozen=True, slots=True)
class Content:
    """A request as a frozen value."""

    at: datetime
    points: int


def test_ids_are_version_7_and_ordered_by_the_time_they_were_made():
    made = [new_id() for _ in range(1000)]

    assert {made_id.version for made_id in made} == {7}
    assert len(set(made)) == 1000
    assert made == sorted(made)


def test_a_secret_has_the_entropy_asked_for_and_is_never_the_same():
    assert len({secret_token() for _ in range(100)}) == 100
    assert len(secret_token()) >= 32 * 8 / 6
    assert len(secret_token(entropy_bytes=16)) < len(secret_token())


def test_a_fingerprint_is_32_bytes():
    assert len(fingerprint({"order_id": "A-1"})) == 32


@given(plain_json)
def test_equal_content_has_an_equal_fingerprint_whatever_the_order_of_keys(content: Any):
    assert fingerprint(content) == fingerprint(upside_down(content))


@pytest.mark.parametrize(
    "other",
    [
        {"id": "A", "lines": [1, 2], "total": 101},
        {"id": "A", "lines": [2, 1], "total": 100},
        {"id": "A", "lines": [1, 2], "total": "100"},
        {"id": "a", "lines": [1, 2], "total": 100},
        {"id": "A", "lines": [1, 2]},
        {"id": "A", "lines": [1, 2], "total": 100, "note": None},
    ],
)
def test_other_content_has_another_fingerprint(other: dict[str, Any]):
    assert fingerprint(other) != fingerprint({"id": "A", "lines": [1, 2], "total": 100})


@pytest.mark.parametrize("place", [timezone(timedelta(hours=2)), ZoneInfo("America/New_York"), UTC])
def test_the_same_instant_has_the_same_fingerprint_whatever_its_offset(place: Any):
    assert fingerprint({"at": TEN_UTC.astimezone(place)}) == fingerprint({"at": TEN_UTC})
    assert fingerprint(Content(TEN_UTC.astimezone(place), 1)) == fingerprint(Content(TEN_UTC, 1))


def test_another_instant_has_another_fingerprint():
    assert fingerprint({"at": TEN_UTC}) != fingerprint({"at": TEN_UTC.replace(tzinfo=timezone(timedelta(hours=2)))})


def upside_down(content: Any) -> Any:
    if isinstance(content, dict):
        return {key: upside_down(content[key]) for key in reversed(content)}
    return [upside_down(item) for item in content] if isinstance(content, list) else content
