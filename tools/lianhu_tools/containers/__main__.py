"""`python -m lianhu_tools.containers secrets | databases | topics | demo`: one job of docker-compose.yml each.

Every job may run again at any time: what is there already stays as it is.
"""

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path

from lianhu_kit.kafka import access
from lianhu_kit.settings import BrokerSettings, load
from lianhu_tools import screen
from lianhu_tools.containers import databases, secrets
from lianhu_tools.faults import Fault
from lianhu_tools.stores import topics

TOPICS = Path("shared/contracts/topics.yaml")


class TopicsSettings(BrokerSettings, service="topics"):
    """Where the broker is and who asks."""


def make_secrets() -> None:
    """Passwords and signing keys, into the volumes."""
    secrets.ensure(secrets.FOLDER)


def make_databases() -> None:
    """Four databases with three roles each."""
    asyncio.run(databases.ensure(secrets.FOLDER))


def make_topics() -> None:
    """The topics that topics.yaml declares, and their settings; on LIANHU_TOPIC_REPLICAS brokers each."""
    settings, replicas = load(TopicsSettings, broker=True), int(os.environ.get("LIANHU_TOPIC_REPLICAS", "1"))
    declared, options = topics.declared(TOPICS), access(settings)
    making = topics.create(settings.kafka_bootstrap, declared, seconds=120, replicas=replicas, options=options)
    new = asyncio.run(making)
    print(f"{len(new)} topics made")


def play_demo() -> None:
    """The stories, against the gateway."""
    from lianhu_tools.demo import command  # noqa: PLC0415 - the other jobs are there without it

    command.play()


JOBS: dict[str, Callable[[], None]] = {
    "secrets": make_secrets,
    "databases": make_databases,
    "topics": make_topics,
    "demo": play_demo,
}


def main() -> None:
    """Runs the job that the first argument names; a fault is one message and exit code 1."""
    job = JOBS.get(sys.argv[1] if len(sys.argv) > 1 else "")
    if job is None:
        screen.fail(f"Say which job: {', '.join(JOBS)}.")
        sys.exit(2)
    try:
        job()
    except Fault as fault:
        screen.fail(str(fault))
        sys.exit(1)


if __name__ == "__main__":
    main()
