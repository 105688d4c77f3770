"""Refusals. A refusal is a class and a sentence: the docstring is its title, the arguments are its facts.

The domain knows *kinds* of refusal; which HTTP status a kind gets is decided in one table, in
`loyalty.web.problems`. A concrete refusal lives in the `errors.py` of its slice and has a `code` that the
API contract lists.
"""

from datetime import timedelta
from typing import Any, ClassVar

from loyalty.core.limits import Limit


class DomainError(Exception):
    """Something was refused. Subclass one of the kinds below, never this."""

    code: ClassVar[str] = ""

    def __init__(self, detail: str = "", **facts: Any) -> None:
        self.detail = detail or self.title()
        self.facts = facts
        super().__init__(self.detail)

    @classmethod
    def title(cls) -> str:
        """The first line of the docstring: what this kind of refusal is, whoever it happens to."""
        return (cls.__doc__ or cls.__name__).strip().splitlines()[0]


class NotFound(DomainError):
    """What was named does not exist here."""

    code = "not-found"


class Conflict(DomainError):
    """The request contradicts what is already recorded."""

    code = "conflict"


class IdempotencyConflict(Conflict):
    """The same id or key was used before with other content."""

    code = "idempotency-conflict"


class RuleRefused(DomainError):
    """A rule of the program refuses this."""

    code = "rule-refused"


class Forbidden(DomainError):
    """The key is valid, but does not open this."""

    code = "forbidden"


class Unauthenticated(DomainError):
    """A valid key is needed."""

    code = "unauthenticated"


class InvalidRequest(DomainError):
    """The request does not have the documented shape.

    `errors` lists what is wrong, each with a JSON pointer into the body (or the name of the parameter).
    """

    code = "invalid-request"

    def __init__(self, errors: list[dict[str, str]], detail: str = "") -> None:
        super().__init__(detail or "; ".join(f"{e['pointer']}: {e['detail']}" for e in errors[:3]), errors=errors)


class PreconditionMissing(DomainError):
    """A change of configuration must say which version it was made from."""

    code = "precondition-required"


class Stale(DomainError):
    """The configuration has changed since it was read."""

    code = "stale-version"


class TooManyRequests(DomainError):
    """More was asked than is allowed for now."""

    code = "too-many-requests"

    def __init__(self, detail: str, limit: Limit, wait: timedelta) -> None:
        self.limit, self.wait_seconds = limit, -(-wait // timedelta(seconds=1))
        facts = {"by": limit.name, "quota": limit.quota, "window_seconds": limit.window_seconds}
        super().__init__(detail, **facts, retry_after_seconds=self.wait_seconds)


class TooManyAttempts(TooManyRequests):
    """Too much was tried that does not exist."""

    code = "too-many-attempts"

    def __init__(self, limit: Limit, wait: timedelta) -> None:
        asked = "with this key" if limit.name == "key" else "from this address"
        detail = f"Too many unknown codes were tried {asked}. Wait before trying again, whatever the code."
        super().__init__(detail, limit, wait)


class NothingToPublish(Conflict):
    """There is no draft."""

    code = "nothing-to-publish"


class EffectiveFromPast(RuleRefused):
    """What is published cannot come into force in the past: its predecessor was what counted then."""

    code = "effective-from-past"


class OperatorError(Exception):
    """What a person at the command line must know, in one sentence; never shown to callers of the API."""
