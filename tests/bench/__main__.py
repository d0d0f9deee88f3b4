"""`python -m bench [CHECK …] [--write FILE]`: takes the ratios, prints one table, ends everything it started."""

import argparse
import asyncio
import importlib
import sys
import time
import traceback
from pathlib import Path

import uvloop

from bench.house import House
from bench.report import Taken, document, table

CHECKS = (
    "intake", "relay", "projection", "claims", "delay", "delay_loaded", "footprint", "growth", "pages", "replay",
)  # fmt: skip
ROUNDS = 7
SECONDS = 1500.0  # of one check: what hangs is told as broken, and the others are measured all the same


def _measure(name: str, rounds: int | None) -> Taken:
    """One check with stores of its own; whatever it breaks of, it is told."""
    print(f"… {name}", flush=True)
    began = time.perf_counter()
    try:
        module = importlib.import_module(f"bench.{name}")
        wanted = rounds or getattr(module, "ROUNDS", ROUNDS)
        with House() as house:
            ratios = uvloop.run(asyncio.wait_for(module.measure(house, wanted), SECONDS))
        return Taken(ratios)
    except Exception as error:
        traceback.print_exc()
        said = str(error) or "it says no more; the log of the run has where"
        return Taken([], {name: f"{type(error).__name__}: {said}".split("\n", 1)[0]})
    finally:
        print(f"  {name}: {time.perf_counter() - began:.0f} s", flush=True)


def main() -> int:
    """0 where every ratio that something is wanted of is reached."""
    parser = argparse.ArgumentParser(prog="bench")
    parser.add_argument("checks", nargs="*", metavar="CHECK", help=", ".join(CHECKS))
    parser.add_argument("--rounds", type=int, help=f"in place of {ROUNDS}, or of fewer where a round takes long")
    parser.add_argument("--write", type=Path, help="a file for the table, as docs/benchmarks.md")
    given = parser.parse_args()
    names = given.checks or list(CHECKS)
    if unknown := set(names) - set(CHECKS):
        parser.error(f"no such check: {', '.join(sorted(unknown))}; there are {', '.join(CHECKS)}")
    began = time.perf_counter()
    taken = Taken.all(_measure(name, given.rounds) for name in names)
    if given.write:
        given.write.write_text(document(taken, time.perf_counter() - began), "utf-8")
    print(table(taken))
    return 0 if taken.good else 1


if __name__ == "__main__":
    sys.exit(main())
