"""What the command shows: steps as they happen, tables; plain lines where nobody watches."""

import sys
import time
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table

from lianhu_tools.records import Step


def console() -> Console:
    """Standard output; without colours and as wide as its lines where it is not a terminal."""
    out = Console(soft_wrap=True, highlight=False)
    return out if out.is_terminal else Console(soft_wrap=True, highlight=False, width=400)


def fail(message: str) -> None:
    """One message on standard error."""
    Console(file=sys.stderr, soft_wrap=True, highlight=False).print(message, style="red", markup=False)


SLOW = 2.0


class StepLines:
    """Shows steps one line each when they are done, and those under way: on a terminal at once, else when slow."""

    def __init__(self, out: Console) -> None:
        self._out = out
        self._running: dict[str, float] = {}
        self._told: set[str] = set()
        self._status = out.status("") if out.is_terminal else None

    def show(self, step: Step) -> None:
        """Takes in one step."""
        if step.state == "begun":
            self._running[step.name] = time.monotonic()
        else:
            self._running.pop(step.name, None)
        if step.state == "done" and step.name:
            self._out.print(f"  [green]✓[/green] {step.name}  [dim]{step.seconds:.1f} s[/dim]")
        elif step.state == "failed" and step.name:
            self._out.print(f"  [red]✗[/red] {step.name}  [dim]{step.seconds:.1f} s[/dim]")
        self._refresh()

    def tick(self) -> None:
        """Says once of each step that it takes longer, where no terminal shows it anyway."""
        if self._status is not None:
            return
        for name, began in self._running.items():
            if name not in self._told and time.monotonic() - began > SLOW:
                self._told.add(name)
                self._out.print(f"  … {name}")

    def close(self) -> None:
        """Leaves the last lines as they are."""
        if self._status is not None:
            self._status.stop()

    def _refresh(self) -> None:
        if self._status is None:
            return
        if self._running:
            self._status.update(f"[dim]starting {', '.join(self._running)} …[/dim]")
            self._status.start()
        else:
            self._status.stop()


def table(out: Console, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table; numbers stand to the right."""
    shown = list(rows)
    grid = Table(box=None, pad_edge=False, header_style="bold")
    for place, name in enumerate(columns):
        numbers = bool(shown) and all(isinstance(row[place], int | float) for row in shown)
        grid.add_column(name, justify="right" if numbers else "left", overflow="fold")
    for row in shown:
        grid.add_row(*("" if value is None else str(value) for value in row))
    out.print(grid)
