"""`lianhu rebuild`: a service whose database was lost gets a new one, filled from the topics before anybody sees it."""

import asyncio
import subprocess
import time

from rich.console import Console

from lianhu_tools.faults import Fault
from lianhu_tools.local import restarting
from lianhu_tools.local.system import cluster_of
from lianhu_tools.stores import exchange
from lianhu_tools.stores.server import Urls
from lianhu_tools.topology import Topology

# What fills a service's empty database from the topics. The others' tables are the record itself.
FILLS = {"reporting": "replay", "notifications": "rebuild"}


def rebuild(topology: Topology, service: str, out: Console, *, sure: bool) -> None:
    """Makes a database, migrates it, fills it, and gives it the service's name; the old one, if any, is kept.

    Until then the service answers 503 where its database is lost, else what it answered before. Raises Fault where
    it cannot be; then nothing was exchanged.
    """
    if service not in FILLS:
        raise Fault(
            f"What {service} keeps is in no topic: `make restore s={service}` brings it back from a backup. "
            f"Rebuilt from the topics are {' and '.join(FILLS)}."
        )
    began = time.monotonic()
    cluster = cluster_of(topology)
    if asyncio.run(exchange.there(cluster, service)) and not sure:
        raise Fault(
            f"The database of {service} is there. Say yes=1 to put a rebuilt one in its place; "
            "the old one is kept under another name."
        )
    fresh = f"{service}_rebuilding"
    asyncio.run(exchange.drop(cluster, fresh))
    urls = asyncio.run(cluster.create(service, fresh))
    service_does(topology, service, "migrate", "owner", urls)
    service_does(topology, service, FILLS[service], "worker", urls)
    kept = asyncio.run(exchange.exchange(cluster, service, fresh))
    out.print(f"The rebuilt database is {service}'s after {time.monotonic() - began:.1f} s.")
    if kept is not None:
        out.print(
            f'The old one is kept as {kept}. When nobody needs it: make psql s={service} c="DROP DATABASE {kept}"'
        )
    if asyncio.run(restarting.restart(topology, service)):
        asyncio.run(restarting.caught_up(topology, service))
        out.print(f"{service} is ready and has read everything after {time.monotonic() - began:.1f} s.")


def service_does(topology: Topology, service: str, what: str, role: str, urls: Urls) -> None:
    """Runs a command of a service on a database that nobody else uses yet. Fault where it fails."""
    environment = topology.environment(service, role, urls.owner if role == "owner" else urls.worker)
    environment |= {"LIANHU_LOG_LEVEL": "warning"}
    done = subprocess.run(
        topology.service_command(service, what), env=environment, cwd=topology.root, check=False
    ).returncode
    if done:
        raise Fault(f"{service} {what} ended with {done}: its words stand above. Nothing was exchanged.")
