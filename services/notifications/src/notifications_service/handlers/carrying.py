"""What goes out to one address: several letters for the same person are one message."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from uuid import UUID

from notifications_service.domain.outward import Carried


@dataclass(frozen=True)
class Letter:
    """One thing to tell, in words."""

    title: str
    body: str


@dataclass(frozen=True)
class Parcel:
    """A message: its id, the address, the language, and one or more letters, the oldest first."""

    id: UUID
    to: str
    locale: str
    letters: Sequence[Letter]

    @property
    def title(self) -> str:
        """The title of the only letter, or how many there are."""
        if len(self.letters) == 1:
            return self.letters[0].title
        return f"{len(self.letters)} messages for you" if self.locale == "en" else f"您有 {len(self.letters)} 条消息"

    @property
    def text(self) -> str:
        """All of it as one short text, for a phone."""
        if len(self.letters) == 1:
            return self.letters[0].body
        return "\n".join([self.title, *(f"{place}. {one.body}" for place, one in enumerate(self.letters, start=1))])


class Carrier(Protocol):
    """Whoever brings messages to addresses of one channel."""

    async def carry(self, parcel: Parcel) -> Carried:
        """Hands it over, once, and says what came of it; raises nothing that a network brings."""


def keep_in_file(folder: Path, name: str, content: bytes) -> None:
    """Writes a message into a folder; its file is readable by the service's user alone."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = folder / name
    file.touch(mode=0o600)
    file.write_bytes(content)
