"""Stories happen at the same time and are told one after the other, each line as soon as it is its turn."""

import asyncio
import time
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from rich.console import Console
from rich.markup import escape

Value = TypeVar("Value")
STILL_SECONDS = 2.0


@dataclass
class Told:
    """The lines of one story; `ended` is set when nothing more comes, `failed` with what did not happen."""

    number: int
    title: str
    title_en: str
    place: str
    lines: list[str] = field(default_factory=list)
    doing: str = ""
    failed: str | None = None
    ended: bool = False
    seconds: float = 0.0

    def say(self, chinese: str, english: str, beside: str = "") -> None:
        """Tells a step that has happened and was read back."""
        shown = f"  [green]✓[/green] {escape(chinese)}  [dim]{escape(english)}[/dim]"
        self.lines.append(f"{shown}  [cyan]{escape(beside)}[/cyan]" if beside else shown)
        self.doing = ""

    def note(self, english: str) -> None:
        """Says what is under way, for whoever watches."""
        self.doing = english

    @property
    def name(self) -> str:
        """Number and title, as `requests` in demo.json carry it."""
        return f"{self.number} {self.title} · {self.title_en}"


async def watched(out: Console, work: Awaitable[Value], what: str) -> Value:
    """The outcome of a work that may take a while, with a line for whoever waits."""
    began = time.monotonic()
    task = asyncio.ensure_future(work)
    try:
        while not (await asyncio.wait({task}, timeout=STILL_SECONDS * 2))[0]:
            out.print(f"  [dim]… {escape(what)}, {time.monotonic() - began:.0f} s[/dim]")
        return task.result()
    finally:
        task.cancel()


class Teller:
    """Prints stories in their order while they happen in any."""

    def __init__(self, out: Console) -> None:
        self._out = out

    async def tell(self, stories: Sequence[Told]) -> None:
        """Tells all stories; returns when the last one has ended."""
        status = self._out.status("") if self._out.is_terminal else None
        for story in stories:
            self._out.print(f"\n[bold]{story.number:>2} {escape(story.place)}：{escape(story.title)}[/bold]")
            self._out.print(f"   [dim]{escape(story.title_en)}[/dim]")
            await self._follow(story, status)
        if status is not None:
            status.stop()

    async def _follow(self, story: Told, status: object) -> None:
        shown, quiet_since, still = 0, time.monotonic(), 0
        while True:
            ended = story.ended
            for line in story.lines[shown:]:
                shown += 1
                quiet_since, still = time.monotonic(), 0
                self._out.print(line)
            if ended:
                break
            quiet = time.monotonic() - quiet_since
            if status is not None:
                status.update(f"[dim]{escape(story.doing or 'under way')} …[/dim]")  # type: ignore[attr-defined]
                status.start()  # type: ignore[attr-defined]
            elif quiet > STILL_SECONDS * (still + 1) ** 2:
                still += 1
                self._out.print(f"    [dim]… {escape(story.doing or 'under way')}, {quiet:.0f} s[/dim]")
            await asyncio.sleep(0.05)
        if status is not None:
            status.stop()  # type: ignore[attr-defined]
        if story.failed is not None:
            self._out.print(f"  [red]✗ {escape(story.failed)}[/red]")
