"""E-mail, by SMTP: text and HTML, with a way out in its header (RFC 2369, RFC 8058)."""

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime, parseaddr
from typing import Any
from urllib.parse import unquote, urlsplit

from loyalty.core.errors import OperatorError
from loyalty.notifications.carriers.carrier import Down, Line, Missed, Parcel, Refused

# A mail server may look something up before it answers.
TIMEOUT_SECONDS = 20
PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}

# The server goes away (421), or takes nothing from us (RFC 4954).
OF_THE_SERVER = frozenset({421, 454, 530, 534, 535, 538})
PERMANENT = 500
OK = 250


class _Whole(EmailPolicy):
    """As usual, but for what programs read: what has no space in it would be encoded to be folded, and not be read."""

    unfolded = frozenset({"list-unsubscribe", "message-id"})

    def fold_binary(self, name: str, value: Any) -> bytes:
        """A header as it is sent."""
        if name.lower() in self.unfolded:
            return f"{name}: {value}{self.linesep}".encode("ascii")
        return super().fold_binary(name, value)


POLICY = _Whole(linesep="\r\n")


@dataclass(frozen=True, slots=True)
class MailServer:
    """A mail server. The line is secret from the first byte (smtps), from a command on (smtp+starttls), or never."""

    scheme: str
    host: str
    port: int
    user: str | None = None
    password: str | None = None

    @contextmanager
    def line(self) -> Iterator[Line]:
        """A connection, opened when the first message is sent, and again when the server has closed it."""
        connection = _Connection(self)
        try:
            yield connection.send
        finally:
            connection.close()

    def __repr__(self) -> str:
        return f"MailServer({self.scheme}://{self.host}:{self.port})"


def server_from(url: str) -> MailServer:
    """The server of a URL such as `smtp+starttls://user:password@mail.example:587`. Raises OperatorError."""
    parts = urlsplit(url)
    try:
        port = PORTS.get(parts.scheme, 0) if parts.port is None else parts.port
    except ValueError:
        port = 0
    if not port or not parts.hostname or parts.scheme not in PORTS:
        # The URL itself may hold a password, so it is not repeated.
        schemes = ", ".join(f"{scheme}://" for scheme in PORTS)
        raise OperatorError(f"LOYALTY_SMTP_URL must be like smtp+starttls://user:password@host:587 (or {schemes}).")
    user, password = (unquote(each) if each else None for each in (parts.username, parts.password))
    return MailServer(parts.scheme, parts.hostname, port, user, password)


class _Connection:
    """A connection to a mail server that is opened when it is needed."""

    def __init__(self, server: MailServer) -> None:
        self._server = server
        self._smtp: smtplib.SMTP | None = None

    def send(self, parcel: Parcel) -> None:
        """Hand over a message. Raises Refused, Missed, Down."""
        mail = letter(parcel)
        try:
            self._alive().send_message(mail)
        except smtplib.SMTPRecipientsRefused as refused:
            code, _ = next(iter(refused.recipients.values()))
            raise self._answer(code, "the address") from None
        except smtplib.SMTPSenderRefused as refused:
            # That of all messages of the program: they wait until somebody has mended it.
            self._reset()
            raise Down(f"The mail server refused the sender ({refused.smtp_code}).") from None
        except smtplib.SMTPResponseException as refused:
            raise self._answer(refused.smtp_code, "the message") from None
        except smtplib.SMTPNotSupportedError:
            raise Refused("The mail server cannot send to an address with letters beyond ASCII.") from None
        except (smtplib.SMTPException, OSError) as lost:
            self.close()
            raise Missed(f"The line to the mail server broke: {type(lost).__name__}.") from None

    def close(self) -> None:
        """Say goodbye, if there is anybody."""
        smtp, self._smtp = self._smtp, None
        if smtp is not None:
            with suppress(smtplib.SMTPException, OSError):
                smtp.quit()
            smtp.close()

    def _alive(self) -> smtplib.SMTP:
        """The connection; a new one where there is none, or where the server has closed it meanwhile."""
        if self._smtp is not None and not self._answers(self._smtp):
            self.close()
        if self._smtp is None:
            self._smtp = self._opened()
        return self._smtp

    @staticmethod
    def _answers(smtp: smtplib.SMTP) -> bool:
        try:
            return smtp.noop()[0] == OK
        except (smtplib.SMTPException, OSError):
            return False

    def _opened(self) -> smtplib.SMTP:
        at = self._server
        try:
            if at.scheme == "smtps":
                secret = ssl.create_default_context()
                smtp: smtplib.SMTP = smtplib.SMTP_SSL(at.host, at.port, timeout=TIMEOUT_SECONDS, context=secret)
            else:
                smtp = smtplib.SMTP(at.host, at.port, timeout=TIMEOUT_SECONDS)
            try:
                if at.scheme == "smtp+starttls":
                    smtp.starttls(context=ssl.create_default_context())
                if at.user is not None:
                    smtp.login(at.user, at.password or "")
            except BaseException:
                smtp.close()
                raise
        except (smtplib.SMTPException, OSError) as error:
            raise Down(f"The mail server cannot be used: {type(error).__name__}.") from None
        return smtp

    def _answer(self, code: int, what: str) -> Refused | Missed | Down:
        """What a refusal means. The server's own words are not repeated: they name the address."""
        self._reset()
        sentence = f"The mail server refused {what} ({code})."
        if code in OF_THE_SERVER:
            return Down(sentence)
        return Refused(sentence) if code >= PERMANENT else Missed(sentence)

    def _reset(self) -> None:
        with suppress(smtplib.SMTPException, OSError):
            if self._smtp is not None:
                self._smtp.rset()


def letter(parcel: Parcel) -> EmailMessage:
    """The message as a mail. Raises Refused where the address is none."""
    mail = EmailMessage(policy=POLICY)
    try:
        mail["To"] = Address(addr_spec=parcel.email or "")
    except (ValueError, IndexError):
        raise Refused("The address is none.") from None
    mail["From"] = parcel.sender
    if parcel.reply_to:
        mail["Reply-To"] = parcel.reply_to
    mail["Subject"] = parcel.words.subject
    mail["Date"] = format_datetime(parcel.sent_at)
    # The same for every attempt, so that what came twice can be told.
    mail["Message-ID"] = f"<{parcel.message_id}@{parseaddr(parcel.sender or '')[1].rpartition('@')[2]}>"
    # Nobody's notice of absence is to answer (RFC 3834).
    mail["Auto-Submitted"] = "auto-generated"
    if parcel.unsubscribe_url:
        mail["List-Unsubscribe"] = f"<{parcel.unsubscribe_url}>"
        mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail.set_content(parcel.words.text)
    mail.add_alternative(parcel.words.html, subtype="html")
    # Of the whole: what is set before goes with the first part.
    mail["Content-Language"] = parcel.language
    return mail
