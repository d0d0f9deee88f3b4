"""`python -m reporting_service api | worker | migrate | refill TOPIC | replay [from TIME]`."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence

from lianhu_kit.entry import main
from lianhu_kit.rereading import command
from reporting_service.app import MIGRATIONS, create_app, create_work
from reporting_service.consumer.replay import Refused, replay
from reporting_service.settings import Settings


def run_replay(settings: Settings, arguments: Sequence[str]) -> int:
    """Rebuilds from the topics; 0 where it was swapped in, 1 where it was refused.

    With `from TIME` it rebuilds nothing: sums need every event, so what came since is read into the standing tables.
    """
    if arguments:
        return command(create_work)(settings, arguments)
    try:
        rebuilt = asyncio.run(replay(settings, lambda line: print(line, flush=True)))
    except Refused as refused:
        print(refused, file=sys.stderr)
        return 1
    if rebuilt.equal:
        verdict = "equal to what was there"
    elif rebuilt.ahead:
        verdict = f"{rebuilt.ahead} events ahead of what was there"
    else:
        verdict = "NOT equal to what was there: what was there had drifted, or counted by other rules"
    rate = rebuilt.events / max(rebuilt.seconds, 0.001)
    print(f"{rebuilt.events} events in {rebuilt.seconds:.1f} s, {rate:.0f} a second: {verdict}")
    return 0


if __name__ == "__main__":
    main(Settings, api=create_app, work=create_work, migrations=MIGRATIONS, commands={"replay": run_replay})
