"""A program: a service's `migrate` that goes up to CHAOS_UNTIL, and falls within CHAOS_REVISION where one is named."""

import os
import signal
from typing import Any

from alembic import command
from alembic.runtime.migration import HeadMaintainer, RevisionStep

from chaos.wrapped import become
from lianhu_kit import migrations

PLACES = ("after its first statement", "before its number is written")


def plant(until: str, revision: str, place: str) -> None:
    """Another end than the newest revision, and the fall."""
    commands: Any = command
    kit: Any = migrations
    steps: Any = RevisionStep
    maintainer: Any = HeadMaintainer
    upgrade, run, begin, write = commands.upgrade, kit.run, steps.__init__, maintainer.update_to_step
    current = ""

    def upgrade_until(config: Any, _revision: str) -> None:
        upgrade(config, until)

    def begin_and_note(self: Any, *given: Any, **named: Any) -> None:
        begin(self, *given, **named)
        make = self.migration_fn

        def noted(**options: Any) -> None:
            nonlocal current
            current = self.revision.revision
            make(**options)

        self.migration_fn = noted

    def run_and_fall(statements: str) -> None:
        run(statements)
        if place == PLACES[0] and current == revision:
            os.kill(os.getpid(), signal.SIGKILL)

    def write_or_fall(self: Any, step: Any) -> None:
        if place == PLACES[1] and current == revision:
            os.kill(os.getpid(), signal.SIGKILL)
        write(self, step)

    commands.upgrade = upgrade_until
    steps.__init__ = begin_and_note
    kit.run = run_and_fall
    maintainer.update_to_step = write_or_fall


if __name__ == "__main__":
    plant(*(os.environ[f"CHAOS_{name}"] for name in ("UNTIL", "REVISION", "PLACE")))
    become()
