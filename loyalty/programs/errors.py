"""What the programs slice refuses."""

from loyalty.core.errors import Conflict, NotFound


class ProgramNotFound(NotFound):
    """There is no such program."""

    code = "program-not-found"


class ProgramCodeTaken(Conflict):
    """A program with this code exists already."""

    code = "program-code-taken"


class ProgramVersionNotFound(NotFound):
    """The program never had settings of this version."""

    code = "program-version-not-found"
