"""`python -m bench [CHECK …] [--write FILE]`: takes the ratios, prints one table, ends everything it started."""

import argparse
import importlib
import sys
import time
from pathlib import Path

import uvloop

from bench.house import House
from bench.ratios import Ratio
from bench.report import document, table

CHECKS = ("intake", "relay", "projection", "claims", "delay", "growth", "footprint")
ROUNDS = 7


async def _measure(house: House, names: list[str], rounds: int) -> list[Ratio]:
    taken: list[Ratio] = []
    for name in names:
        began = time.perf_counter()
        module = importlib.import_module(f"bench.{name}")
        try:
            taken += await module.measure(house, rounds)
        finally:
            house.end_processes()
        print(f"… {name}: {time.perf_counter() - began:.0f} s", flush=True)
    return taken


def main() -> int:
    """0 where every ratio that something is wanted of is reached."""
    parser = argparse.ArgumentParser(prog="bench")
    parser.add_argument("checks", nargs="*", metavar="CHECK", help=", ".join(CHECKS))
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--write", type=Path, help="a file for the table, as docs/benchmarks.md")
    given = parser.parse_args()
    names = given.checks or list(CHECKS)
    if unknown := set(names) - set(CHECKS):
        parser.error(f"no such check: {', '.join(sorted(unknown))}; there are {', '.join(CHECKS)}")
    began = time.perf_counter()
    with House() as house:
        taken = uvloop.run(_measure(house, names, given.rounds))
    if given.write:
        given.write.write_text(document(taken, time.perf_counter() - began))
    print(table(taken))
    return 0 if all(ratio.reached is not False for ratio in taken) else 1


if __name__ == "__main__":
    sys.exit(main())
