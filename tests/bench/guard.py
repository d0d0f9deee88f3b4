"""`python -m bench.guard`: whether intake and relay have grown twice as dear beside their floors; for every change.

Ratios alone, each against half of what the bench wants of it, and the best of a few tries counts: a busy machine makes
one try look bad, a regression makes all of them.
"""

import math
import sys

import uvloop

from bench import intake, relay
from bench.house import House

TRIES = 4
GENEROUS = 2.0


async def _best(house: House) -> dict[str, tuple[float, float]]:
    """For each ratio the best of the tries and its bound; tries end as soon as every bound is reached."""
    intake.ORDERS, relay.EVENTS = 150, 2000
    best: dict[str, tuple[float, float]] = {}
    for check in (intake, relay):
        for _ in range(TRIES):
            ratios = [ratio for ratio in await check.measure(house, 1) if ratio.at_least is not None]
            house.end_processes()
            for ratio in ratios:
                reached, _bound = best.get(ratio.check, (-math.inf, 0.0))
                best[ratio.check] = max(reached, ratio.ratio), (ratio.at_least or 0.0) / GENEROUS
                print(f"{ratio.check}: {ratio.ratio:.2f} ({ratio.figures})", flush=True)
            if all(best[ratio.check][0] >= best[ratio.check][1] for ratio in ratios):
                break
    return best


def main() -> int:
    """0 where every ratio reached its bound in one of the tries."""
    with House() as house:
        best = uvloop.run(_best(house))
    missed = [f"{name} {ratio:.2f} < {bound:.2f}" for name, (ratio, bound) in best.items() if ratio < bound]
    if not best or missed:
        print(f"dearer than twice the bound in each of {TRIES} tries: {', '.join(missed) or 'nothing was measured'}")
        return 1
    print(", ".join(f"{name} {ratio:.2f} >= {bound:.2f}" for name, (ratio, bound) in best.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
