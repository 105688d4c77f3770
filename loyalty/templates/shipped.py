"""The texts that the engine brings: a template for every kind of message in each of its languages. Pure."""

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from loyalty.core.i18n import SOURCE

TEXTS: Final = Path(__file__).with_name("texts")


# Each message ends with who sends it.
SIGNATURE: Final = "{{ program.name }}"


@lru_cache
def languages() -> tuple[str, ...]:
    """The languages there are texts in."""
    return tuple(sorted(path.stem for path in TEXTS.glob("*.toml")))


def text(kind: str, tag: str) -> Mapping[str, str] | None:
    """The subject and the text of a kind of message in the language of a tag; None if there are none."""
    language = _language(tag)
    if language not in languages():
        return None
    said, greeting = _texts(language)[kind], word(tag, "greeting")
    return {"subject": said["subject"], "text": f"{greeting}\n\n{said['text'].strip()}\n\n{SIGNATURE}"}


def word(tag: str, name: str) -> str:
    """A word of the layout; in English where there is none."""
    language = _language(tag)
    return str(_texts(language if language in languages() else SOURCE)["layout"][name])


def _language(tag: str) -> str:
    return tag.replace("_", "-").partition("-")[0].lower()


@lru_cache
def _texts(language: str) -> Mapping[str, Any]:
    return tomllib.loads((TEXTS / f"{language}.toml").read_text(encoding="utf-8"))
