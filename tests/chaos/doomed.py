"""A program: a service's worker that ends itself as kill -9 would, at CHAOS_POINT, once it is there the second time.

It patches the kit in this process alone; nothing of it is in the services.
"""

import os
import runpy
import signal
import sys
from typing import Any

POINTS = ("before-commit", "after-commit", "after-send", "before-offset", "mid-batch")
_TIMES = 2


def _fall() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class _Count:
    """Falls at the second passing."""

    def __init__(self) -> None:
        self.passed = 0

    def __call__(self) -> None:
        self.passed += 1
        if self.passed >= _TIMES:
            _fall()


def plant(point: str) -> None:
    """Puts the fall where the name says."""
    from lianhu_kit.consumer import Consumer
    from lianhu_kit.inbound import Inbound
    from lianhu_kit.relay import Relay

    here, kit = _Count(), {"inbound": Inbound, "relay": Relay, "consumer": Consumer}
    classes: dict[str, Any] = kit
    if point == "before-commit":
        run = classes["inbound"]._run

        async def run_then_fall(self: Any, session: Any, events: Any) -> None:
            await run(self, session, events)
            if events:
                here()

        classes["inbound"]._run = run_then_fall
    elif point == "after-commit":  # committed, and not yet sent

        async def fall_for_sending(self: Any, producer: Any, part: Any) -> Any:
            _fall()

        classes["relay"]._send = fall_for_sending
    elif point == "after-send":  # acknowledged, and still in the outbox

        async def fall_for_moving(self: Any, positions: Any) -> None:
            _fall()

        classes["relay"]._move = fall_for_moving
    elif point == "before-offset":  # applied, its offset not committed
        commit = classes["consumer"]._commit

        async def fall_for_committing(self: Any, client: Any, partition: Any, offset: int) -> None:
            here()
            await commit(self, client, partition, offset)

        classes["consumer"]._commit = fall_for_committing
    elif point == "mid-batch":
        whole = classes["inbound"]._run

        async def half(self: Any, session: Any, events: Any) -> None:
            if len(events) > 1:
                await whole(self, session, events[: len(events) // 2])
                await session.flush()
                _fall()
            await whole(self, session, events)

        classes["inbound"]._run = half
    else:
        raise ValueError(f"There is no point {point!r}; there are {', '.join(POINTS)}.")


if __name__ == "__main__":
    plant(os.environ["CHAOS_POINT"])
    module = f"{os.environ['CHAOS_SERVICE']}_service"
    sys.argv = [module, "worker"]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
