"""What is remembered of a change."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

# Who changes something without a key. Everybody else is the id of a key, never the key.
COMMAND_LINE = "command line"


@dataclass(frozen=True, slots=True)
class Record:
    """One change: who did what to which resource, and how it was before and after."""

    audit_id: UUID
    at: datetime
    actor: str
    action: str
    resource: str
    before: Any
    after: Any
