"""`lianhu demo`: seeds, plays the stories, shows what came of them; exit code 1 when anything did not happen."""

import asyncio
import sys
import time
from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape

from lianhu_tools import running, screen
from lianhu_tools.demo import closing, shown, throng
from lianhu_tools.demo.calls import Gateway, Missed
from lianhu_tools.demo.elsewhere import Elsewhere, elsewhere
from lianhu_tools.demo.programme import STORIES, play_one, told_of
from lianhu_tools.demo.stage import Stage, stage_of
from lianhu_tools.demo.telling import Teller, Told, watched
from lianhu_tools.faults import Fault
from lianhu_tools.seed.places import ELSEWHERE, TOWN
from lianhu_tools.seed.planting import plant
from lianhu_tools.topology import Topology, current

_PATIENT = 11  # the number of the story that mostly waits: the crowd comes meanwhile


def play() -> None:
    """Plays the demo on this clone's system, or on LIANHU_DEMO_GATEWAY's; exits with 1 when a step did not happen."""
    topology = current()
    sys.exit(run(elsewhere(topology) or topology, screen.console()))


def run(topology: Topology, out: Console) -> int:
    """The exit code of a round of the demo. Raises Fault where the system is not up or cannot be seeded."""
    if not isinstance(topology, Elsewhere) and not running.is_up(topology.state):
        raise Fault("The system is not up; run `make up` first, or `make demo`, which does both.")
    return asyncio.run(_round(topology, out))


async def _round(topology: Topology, out: Console) -> int:
    began = time.monotonic()
    gateway = Gateway(topology)
    try:
        await _seed(gateway, out)
        told, stages = await _stories(gateway, out)
        if failed := [story for story in told if story.failed]:
            return _failed(out, [f"story {story.number}: {story.failed}" for story in failed])
        try:
            await _closing(topology, gateway, out, stages)
        except Missed as missed:
            return _failed(out, [str(missed)])
    finally:
        await gateway.close()
    out.print(
        f"\n[green]✓[/green] 十二个故事都发生了  [dim]all twelve happened, {time.monotonic() - began:.0f} s[/dim]"
    )
    return 0


def _failed(out: Console, lines: Sequence[str]) -> int:
    out.print("\n[red bold]没有全部发生[/red bold]  [dim]not everything happened:[/dim]")
    for line in lines:
        out.print(f"  [red]✗[/red] {escape(line)}")
    return 1


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


async def _stories(gateway: Gateway, out: Console) -> tuple[list[Told], list[Stage]]:
    """Plays and tells all twelve stories. The crowd comes when those are over that it would disturb."""
    told, crowd = [told_of(story) for story in STORIES], throng.told()
    stages = [stage_of(gateway, lines, story.village) for lines, story in zip(told, STORIES, strict=True)]
    plays = [asyncio.create_task(play_one(stage, story)) for stage, story in zip(stages, STORIES, strict=True)]

    async def crowded() -> list[Stage]:
        await asyncio.gather(*(play for play, story in zip(plays, STORIES, strict=True) if story.number != _PATIENT))
        return await throng.play(gateway, crowd)

    others, _ = await asyncio.gather(crowded(), Teller(out).tell([*told, crowd]))
    await asyncio.gather(*plays)
    return [*told, crowd], [*stages, *others]


async def _closing(topology: Topology, gateway: Gateway, out: Console, stages: list[Stage]) -> None:
    """Waits until reporting has counted everything, then shows and writes what came of it."""
    out.print("\n[bold]统计[/bold]  [dim]what reporting makes of it, from the events alone[/dim]")
    final = await closing.finals(stages)
    requests = await watched(out, closing.journeys(stages, final), "until reporting has counted everything")
    places = (TOWN, *(village.code for village in ELSEWHERE))
    answers = asyncio.gather(*(closing.balanced(gateway, org) for org in places))
    reconciled = dict(zip(places, await watched(out, answers, "until nothing is in flight"), strict=True))
    by_village = await closing.tallies(gateway, TOWN)
    by_service = await closing.tallies(gateway, TOWN, "service")
    elsewhere = [await closing.tallies(gateway, village.code) for village in ELSEWHERE]
    for answer in (by_village, by_service, *elsewhere):
        closing.add_up(answer)
    crowd = throng.told().name
    shown.journeys(out, [request for request in requests if request["story"] != crowd])
    shown.tallies(out, "岗列街道，按村  the town by village", by_village)
    shown.tallies(out, "岗列街道，按服务  the town by service", by_service)
    for village, answer in zip(ELSEWHERE, elsewhere, strict=True):
        shown.tallies(out, f"{village.name}  {village.code}", answer)
    out.print("\n[bold]对账[/bold]  [dim]reporting against what requests and dispatch count[/dim]")
    for org, answer in reconciled.items():
        out.print(
            f"  [green]✓[/green] {org}  balanced, {answer['submitted']} submitted, {answer['in_flight']} in flight"
        )
    closing.write(topology, requests, by_village, reconciled[TOWN])
    shown.sign_ins(out, topology)
    shown.addresses(out, topology)
