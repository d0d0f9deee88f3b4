"""`lianhu demo`: seeds, plays the stories, shows what came of them; exit code 1 when anything did not happen."""

import asyncio
import sys
import time

from rich.console import Console

from lianhu_tools import screen
from lianhu_tools.demo import throng
from lianhu_tools.demo.calls import Gateway, Missed
from lianhu_tools.demo.programme import STORIES, play_all, told_of
from lianhu_tools.demo.telling import Teller
from lianhu_tools.faults import Fault
from lianhu_tools.seed.planting import plant
from lianhu_tools.topology import Topology, current


def play() -> None:
    """Plays the demo on this clone's system; exits with 1 when a step did not happen."""
    sys.exit(run(current(), screen.console()))


def run(topology: Topology, out: Console) -> int:
    """The exit code of a round of the demo."""
    return asyncio.run(_round(topology, out))


async def _round(topology: Topology, out: Console) -> int:
    gateway = Gateway(topology)
    try:
        await _seed(gateway, out)
        stories = [told_of(story) for story in STORIES]
        twelve = throng.told()
        async def then():
            while not all(t.ended for t in stories[:10]): await asyncio.sleep(0.1)
            await throng.play(gateway, twelve)
        stages, _, _ = await asyncio.gather(play_all(gateway, stories), then(), Teller(out).tell([*stories, twelve]))
        stories.append(twelve)
        for t in stories: out.print(t.number, f"{t.seconds:.1f}")
        return 1 if any(story.failed for story in stories) else 0
    finally:
        await gateway.close()


async def _seed(gateway: Gateway, out: Console) -> None:
    """Plants what is missing."""
    began = time.monotonic()
    out.print("[bold]种子数据[/bold]  [dim]the seed: real places, invented people[/dim]")
    try:
        changed = await plant(gateway, lambda what: out.print(f"  [dim]… {what}[/dim]"))
    except Missed as missed:
        raise Fault(f"The seed could not be planted: {missed}") from None
    told = ", ".join(f"{number} {what}" for what, number in changed.items() if number) or "all of it was there"
    out.print(f"  [green]✓[/green] {told}  [dim]{time.monotonic() - began:.1f} s[/dim]")
