"""What the notifications slice refuses."""

from uuid import UUID

from loyalty.core.errors import NotFound


class MessageNotFound(NotFound):
    """There is no such message in the member's inbox."""

    code = "message-not-found"

    def __init__(self, message_id: UUID) -> None:
        super().__init__(f"No message '{message_id}' is in the member's inbox.", message_id=str(message_id))


class LinkUnknown(NotFound):
    """The link is none of those by which members unsubscribe."""

    code = "unsubscribe-link-unknown"

    def __init__(self) -> None:
        super().__init__("This link is incomplete or was changed on its way. Open it from the message once more.")
