"""Codes that people read aloud and type: unguessable, without look-alikes, the same in any case of letters."""

import secrets
import unicodedata

# Crockford's base 32: without U, so that no code spells a word by accident, and without I, L and O, which look like 1
# and 0.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

_LOOKS_LIKE = str.maketrans("ILO", "110")


def new_code(*, characters: int = 12) -> str:
    """A random code of 5 bits per character, in groups of four: `7KQ2-M9XD-0T4F`."""
    letters = "".join(secrets.choice(ALPHABET) for _ in range(characters))
    return "-".join(letters[i : i + 4] for i in range(0, characters, 4))


def canonical(typed: str) -> str:
    """What was meant by what was typed: capitals, no separators, look-alikes read as digits.

    Letters of other alphabets may be typed in several ways (an accent of its own, full width), which are one, too.
    """
    letters = unicodedata.normalize("NFKC", typed).upper()
    return "".join(c for c in letters if c.isalnum()).translate(_LOOKS_LIKE)
