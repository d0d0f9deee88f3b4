"""The same broker and database server in containers, where an engine and the images are there."""

import atexit
import contextlib
import os
import secrets
from typing import Any

import docker
import docker.errors
import psutil
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer

from lianhu_tools import processes
from lianhu_tools.stores import kafka
from lianhu_tools.stores.server import SUPERUSER, Server
from support.stores import Kafka, Postgres, elsewhere

KAFKA_IMAGE = "apache/kafka:4.3.0"
POSTGRES_IMAGE = "postgres:18"
START_SECONDS = 120.0
_LABEL = "lianhu.test-session"
_STARTED = b"Kafka Server started"


def missing() -> str | None:
    """Why containers cannot be used here, in words; None when they can."""
    try:
        client = docker.from_env(timeout=5)
        client.ping()
        for image in (KAFKA_IMAGE, POSTGRES_IMAGE):
            client.images.get(image)
    except docker.errors.ImageNotFound as error:
        return f"an image is not there: {error.explanation}"
    except (docker.errors.DockerException, OSError) as error:
        return f"no container engine answers: {error}"
    return None


def _run(image: str, port: int, environment: dict[str, str], command: str | None = None) -> Any:
    """Starts a container that listens on one port of the loopback, and ends it with the session."""
    testcontainers_config.ryuk_disabled = True  # its image comes from a registry; what is started here is ended here
    _remove_leftovers()
    container = DockerContainer(image, env=environment, command=command)
    container.with_kwargs(labels={_LABEL: str(os.getpid())})
    container.ports[f"{port}/tcp"] = ("127.0.0.1", port)  # type: ignore[assignment]
    container.start()
    wrapped = container.get_wrapped_container()
    atexit.register(_remove, wrapped)
    return wrapped


def _remove_leftovers() -> None:
    """Ends what sessions that were killed have left running."""
    for container in docker.from_env(timeout=30).containers.list(all=True, filters={"label": _LABEL}):
        if not psutil.pid_exists(int(container.labels[_LABEL])):
            _remove(container)


def _remove(container: Any) -> None:
    with contextlib.suppress(docker.errors.DockerException):
        container.remove(force=True, v=True)


class ContainerKafka(Kafka):
    """Apache's own image with the settings of the local broker."""

    def __init__(self) -> None:
        port, controller = processes.free_port(), processes.free_port()
        self.bootstrap = f"127.0.0.1:{port}"
        settings = kafka.settings(port, controller) | {
            "listeners": f"CLIENTS://0.0.0.0:{port},CONTROLLER://127.0.0.1:{controller}",
            "log.dirs": "/tmp/kafka-data",  # noqa: S108 - within the container
        }
        environment = {f"KAFKA_{name.upper().replace('.', '_')}": value for name, value in settings.items()}
        heap = {"KAFKA_HEAP_OPTS": "-Xmx384m -XX:TieredStopAtLevel=1"}
        self._container = _run(KAFKA_IMAGE, port, environment | heap)

    def start(self) -> None:
        """Starts the broker again, on the same port and with the data it had; returns when it answers.

        The engine's proxy listens before the broker does: what its log says is what counts.
        """
        before = self._container.logs().count(_STARTED)
        self._container.start()
        if not processes.wait_for(
            lambda: self._container.logs().count(_STARTED) > before,
            seconds=START_SECONDS,
            pause=0.3,
        ):
            raise RuntimeError(f"the broker did not come back: {self._container.logs(tail=20).decode()}")

    def kill(self) -> None:
        """Ends it as a crash would."""
        self._container.kill()
        self._container.wait()

    def close(self) -> None:
        """Ends it for good."""
        _remove(self._container)


class _Address(Server):
    """Where the container's server answers."""

    def __init__(self, port: int, password: str) -> None:
        self.port = port
        self._password = password

    @property
    def password(self) -> str:
        """The one password of this server's roles."""
        return self._password


class ContainerPostgres(Postgres):
    """The official image, without the wait for the disk."""

    def __init__(self) -> None:
        port, password = processes.free_port(), secrets.token_hex(16)
        settings = f"-c port={port} -c fsync=off -c max_connections=200 -c timezone=UTC -c jit=off"
        environment = {"POSTGRES_USER": SUPERUSER, "POSTGRES_PASSWORD": password}
        self._container = _run(POSTGRES_IMAGE, port, environment, f"postgres {settings}")
        self.cluster = _Address(port, password)
        elsewhere(self.cluster.answer(seconds=START_SECONDS))

    def start(self) -> None:
        """Starts the server again unless it runs, on the same port and with the data it had."""
        self._container.reload()
        if self._container.status != "running":
            self._container.start()

    def kill(self) -> None:
        """Ends it as a crash would."""
        self._container.kill()
        self._container.wait()

    def close(self) -> None:
        """Ends it for good."""
        _remove(self._container)
