"""Codes that people read aloud and type."""

import re
import string
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.core.codes import ALPHABET, canonical, new_code

canonical_codes = st.text(ALPHABET, min_size=1, max_size=20)


def test_the_alphabet_has_five_bits_a_letter_and_no_look_alikes():
    assert len(set(ALPHABET)) == len(ALPHABET) == 32
    assert not set("ILOU") & set(ALPHABET)
    assert set(ALPHABET) <= set(string.digits + string.ascii_uppercase)


def test_a_new_code_comes_in_groups_of_four():
    assert re.fullmatch(r"[0-9A-HJ-NP-TV-Z]{4}(-[0-9A-HJ-NP-TV-Z]{4}){2}", new_code())
    assert re.fullmatch(r"\w{4}-\w{4}-\w{2}", new_code(characters=10))


def test_new_codes_differ_and_use_the_whole_alphabet():
    drawn = [new_code() for _ in range(1000)]

    assert len(set(drawn)) == 1000
    assert set("".join(drawn)) == set(ALPHABET) | {"-"}


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("7KQ2-M9XD-0T4F", "7KQ2M9XD0T4F"),
        ("7kq2-m9xd-0t4f", "7KQ2M9XD0T4F"),
        (" 7kq2 m9xd 0t4f ", "7KQ2M9XD0T4F"),
        ("7KQ2.M9XD_OT4F", "7KQ2M9XD0T4F"),
        ("il1o0-ILO", "11100110"),
        ("７ｋＱ２－Ｍ９ＸＤ", "7KQ2M9XD"),  # noqa: RUF001 (as a Japanese keyboard types it)
        ("cafe\u0301-10", "CAF\u00c910"),
        ("caf\u00e9 10", "CAF\u00c910"),
        ("", ""),
    ],
)
def test_what_was_typed_is_read_as_what_was_meant(typed: str, meant: str):
    assert canonical(typed) == meant


@given(canonical_codes)
def test_a_code_means_itself_in_any_case_and_however_it_is_separated(code: str):
    assert canonical(code) == code
    assert canonical(code.lower()) == code
    assert canonical(" - ".join(code)) == code


@given(canonical_codes)
def test_reading_0_as_o_and_1_as_i_or_l_finds_the_same_code(code: str):
    assert canonical(code.replace("0", "O").replace("1", "I")) == code
    assert canonical(code.replace("0", "o").replace("1", "l")) == code


@given(st.text(string.printable + "äßé²", max_size=20))
def test_what_was_meant_means_the_same_when_typed_again(typed: str):
    assert canonical(canonical(typed)) == canonical(typed)


def test_no_letter_is_likelier_than_another_at_any_place():
    drawn = [canonical(new_code()) for _ in range(20_000)]

    for place in range(12):
        counted = Counter(code[place] for code in drawn)
        # Chi-square with 31 degrees of freedom: above 93 once in ten million runs of a fair draw.
        expected = len(drawn) / 32
        assert sum((counted[letter] - expected) ** 2 / expected for letter in ALPHABET) < 93


@given(st.lists(canonical_codes, min_size=2, max_size=2, unique=True), st.data())
def test_two_codes_never_mean_the_same_however_they_are_written(codes: list[str], data: st.DataObject):
    written = [
        "".join(data.draw(st.sampled_from([c, c.lower(), f"-{c}", *{"0": "Oo", "1": "IiLl"}.get(c, "")])) for c in code)
        for code in codes
    ]

    assert [canonical(text) for text in written] == codes
