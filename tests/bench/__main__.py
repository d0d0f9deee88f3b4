"""`python -m bench [CHECK …] [--write FILE]`: takes the ratios, prints one table, ends everything it started."""

import argparse
import importlib
import sys
import time
import traceback
from importlib.util import find_spec
from pathlib import Path

import uvloop

from bench.house import House
from bench.ratios import Ratio
from bench.report import Taken, document, table

KNOWN = ("intake", "relay", "projection", "claims", "delay", "replay", "growth", "footprint")
CHECKS = tuple(name for name in KNOWN if find_spec(f"bench.{name}"))
ROUNDS = 7


async def _measure(house: House, names: list[str], rounds: int) -> Taken:
    """Each check in turn; one that breaks is told, and the others are measured all the same."""
    ratios: list[Ratio] = []
    broken: dict[str, str] = {}
    for name in names:
        print(f"… {name}", flush=True)
        began = time.perf_counter()
        module = importlib.import_module(f"bench.{name}")
        try:
            ratios += await module.measure(house, rounds)
        except Exception as error:
            traceback.print_exc()
            broken[name] = f"{type(error).__name__}: {error}".split("\n", 1)[0]
        finally:
            house.end_processes()
        print(f"  {name}: {time.perf_counter() - began:.0f} s", flush=True)
    return Taken(ratios, broken)


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
        given.write.write_text(document(taken, time.perf_counter() - began), "utf-8")
    print(table(taken))
    return 0 if taken.good else 1


if __name__ == "__main__":
    sys.exit(main())
