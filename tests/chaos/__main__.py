"""`python -m chaos`: every case under traffic, as `make chaos` calls it. The last line is the summary."""

import argparse
import asyncio
import os
import random
import sys
import tempfile
import time
from pathlib import Path

from chaos.checker import KINDS
from chaos.faults import FAULTS
from chaos.run import Outcome, run_case
from lianhu_tools import processes
from support.system import System


def main() -> int:
    """0 where nothing was lost, doubled or illegal and every case could be played."""
    asked = argparse.ArgumentParser(prog="make chaos")
    asked.add_argument("--minutes", type=float, default=0, help="go on with further seeds for so long; 0: once through")
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--case", default="", choices=["", *FAULTS])
    asked.add_argument("--short", action="store_true", help="shorter faults")
    given = asked.parse_args()
    with tempfile.TemporaryDirectory(prefix="lianhu chaos ", ignore_cleanup_errors=True) as folder:
        root = Path(folder)
        root.chmod(0o711)
        system = System(root, _free_base())
        try:
            system.up()
            return asyncio.run(_play(system, given))
        finally:
            system.lianhu("down")
            system.lianhu("clean")


def _free_base() -> int:
    if given := os.environ.get("LIANHU_PORT_BASE"):
        return int(given)
    for base in random.Random().sample(range(21_000, 60_000, 200), 100):
        if all(not processes.listens(base + offset) for offset in (*range(15), 32, 92, 93)):
            return base
    raise SystemExit("There are no free ports.")


async def _play(system: System, given: argparse.Namespace) -> int:
    cases = [given.case] if given.case else list(FAULTS)
    until = time.monotonic() + given.minutes * 60
    ended: list[Outcome] = []
    failed: list[str] = []
    seed = given.seed
    while True:
        for case in cases:
            if ended and given.minutes and time.monotonic() > until:
                break
            try:
                outcome = await run_case(system, case, FAULTS[case], seed, short=given.short)
            except Exception as error:
                failed.append(f"{case} (seed {seed}): {type(error).__name__}: {str(error)[:300]}")
                print(f"{failed[-1]}", flush=True)
                continue
            ended.append(outcome)
            print("\n".join(outcome.lines()), flush=True)
        seed += 1
        if not given.minutes or time.monotonic() > until:
            break
    return _summary(ended, failed)


def _summary(ended: list[Outcome], failed: list[str]) -> int:
    print(f"\n{'case':<20} {'seed':>5} {'accepted':>8} {'arrived':>8} {'recovery s':>10}")
    for outcome in ended:
        print(
            f"{outcome.case:<20} {outcome.seed:>5} {outcome.accepted:>8} {outcome.arrived:>8} {outcome.recovery:>10.1f}"
        )
    total = {kind: sum(outcome.counts[kind] for outcome in ended) for kind in KINDS}
    unplayed = f", not played to the end {len(failed)}" if failed else ""
    told = ", ".join(f"{kind} {number}" for kind, number in total.items())
    print(f"{len(ended)} cases, {sum(o.accepted for o in ended)} orders{unplayed}: {told}", flush=True)
    return 1 if failed or not ended or any(total.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
