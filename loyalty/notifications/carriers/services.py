"""Whatever Apprise reaches (SMS, push services, chats): an optional library, `pip install loyalty-engine[apprise]`."""

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from loyalty.core.errors import OperatorError
from loyalty.notifications.carriers.carrier import Line, Missed, Parcel, Refused


@dataclass(frozen=True, slots=True)
class Services:
    """Services, each by an Apprise URL in which {phone} and {email} stand for those of the member."""

    urls: tuple[str, ...]

    @contextmanager
    def line(self) -> Iterator[Line]:
        """Each message is a call of its own; there is nothing to open."""
        library = _library()

        def send(parcel: Parcel) -> None:
            services = library.Apprise()
            for url in self._addressed(parcel):
                if not services.add(url):
                    raise Refused("Apprise knows no such address.")
            if not services:
                raise Refused("The member has no address that a service needs.")
            if not services.notify(title=parcel.words.subject, body=parcel.words.text):
                raise Missed("A service did not take the message.")

        yield send

    def _addressed(self, parcel: Parcel) -> Iterator[str]:
        """The URLs that can be made for the member."""
        known = {"{phone}": parcel.phone, "{email}": parcel.email}
        for url in self.urls:
            if all(value for place, value in known.items() if place in url):
                addressed = url
                for place, value in known.items():
                    addressed = addressed.replace(place, quote(value or "", safe=""))
                yield addressed

    def __repr__(self) -> str:
        return f"Services({len(self.urls)})"


def services_from(urls: str) -> Services:
    """The services of URLs that stand apart by spaces. Raises OperatorError when the library is not installed."""
    _library()
    return Services(tuple(urls.split()))


def _library() -> Any:
    try:
        return importlib.import_module("apprise")
    except ImportError:
        raise OperatorError(
            "LOYALTY_APPRISE_URLS is set, but Apprise is not installed: pip install 'loyalty-engine[apprise]'."
        ) from None
