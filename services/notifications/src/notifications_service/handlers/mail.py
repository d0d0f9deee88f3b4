"""Mail: written so that it can be read at a glance, handed to the deployment's server, never twice."""

import asyncio
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

import aiosmtplib
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from lianhu_kit.logs import logger
from notifications_service.domain.outward import Carried
from notifications_service.handlers.carrying import Carrier, Parcel, keep_in_file

SECONDS = 15.0  # for each step of the conversation
TO_A_FILE = "file"
_PORTS = {"smtp": 25, "smtps": 465}
_TRY_AGAIN = 500  # RFC 5321, section 4.2.1: 4yz may be tried again, 5yz may not
_log = logger(__name__)


@dataclass(frozen=True)
class Writer:
    """Who mail is from, and where its links lead (empty: none)."""

    sender: str
    public_url: str

    def write(self, parcel: Parcel) -> EmailMessage:
        """The parcel as a message in plain text and HTML (RFC 5322, RFC 2046 multipart/alternative)."""
        words = {
            "letters": parcel.letters, "title": parcel.title, "language": parcel.locale, "public_url": self.public_url,
        }  # fmt: skip
        message = EmailMessage()
        message["From"] = self.sender
        message["To"] = parcel.to
        message["Subject"] = parcel.title
        message["Date"] = formatdate()
        message["Message-ID"] = f"<{parcel.id}@{self.sender.rpartition('@')[2].rstrip('>')}>"
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's out-of-office answers it
        message["Content-Language"] = parcel.locale
        message.set_content(_templates().get_template("message.txt").render(words))
        message.add_alternative(_templates().get_template("message.html").render(words), subtype="html")
        return message


@dataclass(frozen=True)
class MailServer:
    """Hands mail to an SMTP server: `smtp://[user:password@]host[:port]` (with STARTTLS where offered), or `smtps://`."""

    address: str
    writer: Writer

    async def carry(self, parcel: Parcel) -> Carried:
        """One conversation. UNKNOWN where the message was sent and no answer came."""
        url = urlsplit(self.address)
        client = aiosmtplib.SMTP(
            hostname=url.hostname, port=url.port or _PORTS[url.scheme], use_tls=url.scheme == "smtps",
            username=unquote(url.username) if url.username else None,
            password=unquote(url.password) if url.password else None, timeout=SECONDS,
        )  # fmt: skip
        try:
            return await self._hand_over(client, parcel)
        finally:
            client.close()

    async def _hand_over(self, client: aiosmtplib.SMTP, parcel: Parcel) -> Carried:
        message = self.writer.write(parcel)
        try:
            async with asyncio.timeout(3 * SECONDS):
                await client.connect()
                await client.mail(self.writer.sender.rpartition("<")[2].rstrip(">"))
                await client.rcpt(parcel.to)
        except aiosmtplib.SMTPResponseException as answer:
            return _answered(answer.code)
        except (aiosmtplib.SMTPException, OSError, TimeoutError, ValueError) as error:
            _log.warning("mail waits", reason=type(error).__name__)
            return Carried.LATER
        try:
            async with asyncio.timeout(2 * SECONDS):
                await client.data(message.as_bytes())
        except aiosmtplib.SMTPResponseException as answer:
            return _answered(answer.code)
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            _log.warning("mail was handed over and not answered for", reason=type(error).__name__)
            return Carried.UNKNOWN
        return Carried.SENT


@dataclass(frozen=True)
class MailFiles:
    """Writes each mail into a folder, as a mail program opens it: for a system without a server."""

    folder: Path
    writer: Writer

    async def carry(self, parcel: Parcel) -> Carried:
        """One .eml file a message."""
        content = self.writer.write(parcel).as_bytes()
        await asyncio.to_thread(keep_in_file, self.folder, f"{parcel.id}.eml", content)
        return Carried.SENT


def mail_carrier(server: str, sender: str, public_url: str, state: Path) -> Carrier:
    """Who carries mail in this deployment: a server's address, or `file`."""
    writer = Writer(sender, public_url)
    return MailFiles(state / "mail", writer) if server == TO_A_FILE else MailServer(server, writer)


def _answered(code: int) -> Carried:
    _log.warning("mail was not taken", code=code)
    return Carried.REFUSED if code >= _TRY_AGAIN else Carried.LATER


@cache
def _templates() -> Environment:
    return Environment(
        loader=PackageLoader("notifications_service", "mails"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
    )
