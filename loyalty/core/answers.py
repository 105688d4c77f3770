"""The answer of a use case with a natural id: made once, stored with what it changed, given again to every retry."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Answer:
    """A JSON body, byte for byte as it is stored; `replayed` when it was made by an earlier request."""

    body: bytes
    replayed: bool = False
