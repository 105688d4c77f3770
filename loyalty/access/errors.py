"""What the access slice refuses."""

from loyalty.core.errors import Forbidden, NotFound, Unauthenticated


class KeyMissing(Unauthenticated):
    """A valid key is needed."""

    code = "unauthenticated"


class ScopeMissing(Forbidden):
    """The key does not have the scope that this needs."""

    code = "scope-missing"


class KeyNotFound(NotFound):
    """There is no such key."""

    code = "key-not-found"
