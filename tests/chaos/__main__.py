"""`python -m chaos`: every case under traffic, as `make chaos` calls it. The last line is the summary."""

import argparse
import asyncio
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from chaos.faults import FAULTS
from chaos.run import NotTried, run_case
from chaos.stages import Stages, stage_of
from chaos.table import Record
from lianhu_tools import processes


def main() -> int:
    """0 where nothing was lost, doubled or illegal and every case could be played to its end."""
    asked = argparse.ArgumentParser(prog="make chaos")
    asked.add_argument("--minutes", type=float, default=0, help="go on with further seeds for so long")
    asked.add_argument("--seed", type=int, default=1, help="the first seed")
    asked.add_argument("--seeds", type=int, default=1, help="how many seeds, one after the other")
    asked.add_argument("--case", default="", help=f"one of {', '.join(FAULTS)}; several with commas between them")
    asked.add_argument("--short", action="store_true", help="shorter faults")
    given = asked.parse_args()
    given.cases = given.case.split(",") if given.case else list(FAULTS)
    if unknown := set(given.cases) - set(FAULTS):
        asked.error(f"there is no case {', '.join(sorted(unknown))}; there are {', '.join(FAULTS)}")
    with tempfile.TemporaryDirectory(prefix="lianhu chaos ", ignore_cleanup_errors=True) as folder:
        root = Path(folder)
        root.chmod(0o711)
        return asyncio.run(_all(Stages(root, _free_base()), given))


def _free_base() -> int:
    if given := os.environ.get("LIANHU_PORT_BASE"):
        return int(given)
    for base in random.Random().sample(range(21_000, 32_000, 200), 55):  # from 32768 on, anybody is given one
        if all(not processes.listens(base + offset) for offset in (*range(15), 32, *range(92, 98))):
            return base
    raise SystemExit("There are no free ports.")


async def _all(stages: Stages, given: argparse.Namespace) -> int:
    """Plays them; told to end (SIGINT, SIGTERM) it brings its system down, and tells what it had by then."""
    record, loop, playing = Record(), asyncio.get_running_loop(), asyncio.current_task()
    assert playing is not None

    def stop() -> None:
        if not record.stopped:
            record.stopped = playing.cancel()

    for told in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(told, stop)
    try:
        for case, seed in _order(given):
            await _one(stages, case, seed, given.short, record)
    except asyncio.CancelledError:
        if not record.stopped:
            raise
    finally:
        await stages.close()
    print("", *record.table(), sep="\n", flush=True)
    return 0 if record.good else 1


def _order(given: argparse.Namespace) -> Iterator[tuple[str, int]]:
    """Cases and seeds: those of one stage together, and with `minutes` one seed after the other until time is up."""
    if not given.minutes:
        for stage in dict.fromkeys(map(stage_of, given.cases)):
            for seed in range(given.seed, given.seed + given.seeds):
                yield from ((case, seed) for case in given.cases if stage_of(case) is stage)
        return
    until, seed = time.monotonic() + given.minutes * 60, given.seed
    while True:
        for case in given.cases:
            if time.monotonic() > until:
                return
            yield case, seed
        seed += 1


async def _one(stages: Stages, case: str, seed: int, short: bool, record: Record) -> None:
    if case in record.untried:
        return
    try:
        system = await stages.system_for(case)
        outcome = await run_case(system, case, FAULTS[case], seed, short=short)
    except NotTried as reason:
        record.untried[case] = str(reason)
        print(f"{case}: not tried: {reason}", flush=True)
    except Exception as error:
        record.broken.append(f"{case} (seed {seed}): {type(error).__name__}: {_ends(str(error))}")
        print(f"{record.broken[-1]}; logs: {stages.keep_logs()}", flush=True)
        with suppress(AssertionError):  # the next case says so again
            await stages.mend()
    else:
        record.ended.append(outcome)
        print("\n".join(outcome.lines()), flush=True)
        if any(outcome.counts.values()):
            print(f"  logs: {stages.keep_logs()}", flush=True)


def _ends(told: str) -> str:
    """A message's beginning, and where it is long its end, which says most."""
    return told if len(told) <= 400 else f"{told[:100]} … {told[-300:]}"


if __name__ == "__main__":
    sys.exit(main())
