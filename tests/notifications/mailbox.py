"""A real mail server in a thread, which keeps what it was handed and refuses what it is told to."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from loyalty.notifications.carriers.mail import MailServer


@dataclass
class Mailbox:
    """What has arrived. `refuses` may answer with a line of SMTP, by the command and what it is about."""

    letters: list[EmailMessage] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    refuses: Callable[[str, str], str | None] = lambda command, about: None
    connections: int = 0
    hang_up_after: int | None = None

    async def handle_EHLO(self, server: SMTP, session: Session, envelope: Envelope, hostname: str, replies: Any) -> Any:  # noqa: N802
        self.connections += 1
        session.host_name = hostname
        return replies

    async def handle_MAIL(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any) -> str:  # noqa: N802
        if refused := self.refuses("MAIL", address):
            return refused
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any) -> str:  # noqa: N802
        if refused := self.refuses("RCPT", address):
            return refused
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        letter = message_from_bytes(envelope.content, policy=policy.default)
        if refused := self.refuses("DATA", str(letter["Subject"])):
            return refused
        self.letters.append(letter)
        self.raw.append(envelope.content)
        if self.hang_up_after is not None and len(self.letters) >= self.hang_up_after:
            self.hang_up_after = None
            server.transport.close()
        return "250 OK"

    @property
    def arrived(self) -> Counter[str]:
        """How often each message has arrived, by its id."""
        return Counter(str(letter["Message-ID"]) for letter in self.letters)


class _AnyPort(Controller):
    """A controller that is content with whatever port is free."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


class Server:
    """The server, while a `with` lasts."""

    def __init__(self, mailbox: Mailbox, *, password: str | None = None, port: int = 0) -> None:
        def may(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
            return AuthResult(success=data.password == (password or "").encode(), handled=False)

        secret = {"authenticator": may, "auth_required": True, "auth_require_tls": False} if password else {}
        self._controller = _AnyPort(mailbox, hostname="127.0.0.1", port=port, **secret)

    def __enter__(self) -> MailServer:
        self._controller.start()
        return MailServer("smtp", "127.0.0.1", self._controller.port)

    def __exit__(self, *_: object) -> None:
        self._controller.stop()
