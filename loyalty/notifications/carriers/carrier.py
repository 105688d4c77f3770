"""What every carrier is handed, and how it says that something could not be carried."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from loyalty.templates.templating import Rendered


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """A message in words, and for whom. It has the same id however often it is sent."""

    message_id: str
    kind: str
    language: str
    email: str | None
    phone: str | None
    words: Rendered = field(repr=False)
    sent_at: datetime
    sender: str | None = None
    reply_to: str | None = None
    unsubscribe_url: str | None = None


class NotCarried(Exception):
    """A message was not carried; the sentence says why, and names neither the member nor the message."""


class Refused(NotCarried):
    """It never will be: the other side will not have this message, or knows no such address."""


class Missed(NotCarried):
    """It was not this time: the other side asks to try this one again later."""


class Down(NotCarried):
    """Nothing can be carried at the moment."""


Line = Callable[[Parcel], None]


class Carrier(Protocol):
    """Opens lines; each is used by one thread at a time."""

    def line(self) -> AbstractContextManager[Line]:
        """A way to send one parcel after the other. Sending raises Refused, Missed or Down."""
