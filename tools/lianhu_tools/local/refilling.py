"""A broker that forgot everything is given its topics again, with what the services keep of what they published."""

import asyncpg

from lianhu_tools.faults import Fault
from lianhu_tools.processes import ended, last_lines, spawn
from lianhu_tools.stores import topics
from lianhu_tools.stores.postgres import Cluster
from lianhu_tools.stores.server import SUPERUSER
from lianhu_tools.topology import SERVICES, Topology

SECONDS = 600.0
# One look at an index for each topic, however many events there are.
_KEPT = "SELECT name FROM unnest($1::text[]) AS name WHERE EXISTS (SELECT FROM published WHERE aggregatetype = name)"


async def refill(topology: Topology, cluster: Cluster) -> None:
    """Makes all topics that are missing, and publishes what `published` of each service holds of them once more.

    Readers drop what they have taken in already. Raises Fault where a store is away or a service cannot publish.
    """
    declared = topics.declared(topology.topics_file)
    await topics.create(topology.kafka_bootstrap, declared, seconds=30)
    for service in SERVICES:
        written = [topic.name for topic in declared if service in topic.writers and not topic.planned]
        for name in await _kept(cluster, service, written):
            await _publish(topology, cluster, service, name)


async def _kept(cluster: Cluster, service: str, names: list[str]) -> list[str]:
    try:
        connection = await asyncpg.connect(cluster.url(SUPERUSER, service), timeout=5, command_timeout=60)
        try:
            return [row["name"] for row in await connection.fetch(_KEPT, names)]
        finally:
            await connection.close()
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        raise Fault(f"The database of {service} is away ({type(error).__name__}); see `make status`.") from error


async def _publish(topology: Topology, cluster: Cluster, service: str, topic: str) -> None:
    log = topology.logs / f"{service}.refill.log"
    with log.open("ab") as output:
        process = spawn(
            topology.service_command(service, "refill", topic),
            directory=topology.root,
            environment=topology.environment(service, "worker", cluster.urls(service).worker),
            output=output,
        )
        try:
            code = await ended(process, seconds=SECONDS)
        finally:
            process.kill()
            process.wait()
    if code != 0:
        raise Fault(f"{topic} could not be published again by {service}. The end of {log}:\n{last_lines(log)}")
