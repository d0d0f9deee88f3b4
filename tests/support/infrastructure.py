"""Where the session's stores run: TEST_INFRA=auto, local or docker."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from support import containers
from support.stores import Kafka, LocalKafka, LocalPostgres, Postgres

KINDS = ("auto", "local", "docker")


def kind() -> str:
    """`local` or `docker`. `auto` takes containers where engine and images are there, else the local stores.

    Raises RuntimeError where containers are wanted and cannot be had, with the reason.
    """
    wanted = os.environ.get("TEST_INFRA") or "auto"
    if wanted not in KINDS:
        raise RuntimeError(f"TEST_INFRA is {wanted!r}; a right value: {', '.join(KINDS)}")
    if wanted == "local":
        return wanted
    reason = containers.missing()
    if wanted == "docker" and reason is not None:
        raise RuntimeError(f"TEST_INFRA=docker, and {reason}")
    return "local" if reason is not None else "docker"


def new_kafka() -> Kafka:
    """A broker that is starting; `make_topics` waits for it."""
    return LocalKafka() if kind() == "local" else containers.ContainerKafka()


@contextmanager
def running_kafka() -> Iterator[Kafka]:
    """A broker with the declared topics, ended with the block.

    What runs a service's worker for a whole session has one of its own: the worker answers every event on it, those
    of other services' tests as well.
    """
    kafka = new_kafka()
    try:
        kafka.make_topics()
        yield kafka
    finally:
        kafka.close()


def new_postgres() -> Postgres:
    """A server that answers."""
    return LocalPostgres() if kind() == "local" else containers.ContainerPostgres()
