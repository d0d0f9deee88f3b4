"""The local system as the supervisor builds it: stores, then topics and tables, then services, then the gateway."""

import asyncio
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path

import httpx

from lianhu_tools.faults import Fault
from lianhu_tools.local.child import Check, Plan
from lianhu_tools.local.refilling import refill
from lianhu_tools.local.supervisor import Supervisor
from lianhu_tools.processes import ended, last_lines, listens, spawn
from lianhu_tools.stores import jars, places, tansu, topics
from lianhu_tools.stores.kafka import Broker
from lianhu_tools.stores.postgres import Cluster
from lianhu_tools.topology import HOST, SERVICES, Topology

STORES = ("postgres", "kafka")
STORE_SECONDS = 120.0
SERVICE_SECONDS = 120.0
MIGRATION_SECONDS = 120.0


def cluster_of(topology: Topology) -> Cluster:
    """The local system's PostgreSQL cluster."""
    return places.settle(topology.state / "postgres", port=topology.postgres_port)


async def together(*works: Coroutine[object, object, object]) -> None:
    """Does works at the same time. The first fault ends the others and is raised as it is."""
    try:
        async with asyncio.TaskGroup() as group:
            for work in works:
                group.create_task(work)
    except* Fault as faults:
        raise faults.exceptions[0] from None


async def build(topology: Topology, supervisor: Supervisor) -> None:
    """Brings the whole system up. Raises Fault, naming what did not come up, with the end of its log."""
    cluster = await asyncio.to_thread(cluster_of, topology)
    forgetful = topology.own_broker and tansu.reason(topology) is not None
    await together(
        _broker_and_topics(topology, cluster, supervisor, forgetful), _databases(topology, cluster, supervisor)
    )
    if forgetful:
        async with supervisor.step("refill"):
            await refill(topology, cluster)
    plans = [_service(topology, cluster, service, role) for service in SERVICES for role in ("api", "worker")]
    together_up = [supervisor.bring_up(plan, SERVICE_SECONDS) for plan in [*plans, _gateway(topology)]]
    await together(*together_up)


async def _broker_and_topics(topology: Topology, cluster: Cluster, supervisor: Supervisor, forgetful: bool) -> None:
    if topology.own_broker:
        plan = _tansu(topology, cluster) if forgetful else _kafka(topology)
        await supervisor.bring_up(plan, STORE_SECONDS)
    async with supervisor.step("topics"):
        declared = topics.declared(topology.topics_file)
        await topics.create(topology.kafka_bootstrap, declared, seconds=STORE_SECONDS)


async def _databases(topology: Topology, cluster: Cluster, supervisor: Supervisor) -> None:
    await supervisor.bring_up(_postgres(topology, cluster), STORE_SECONDS)
    await together(*(_database(topology, cluster, supervisor, service) for service in SERVICES))


async def _database(topology: Topology, cluster: Cluster, supervisor: Supervisor, service: str) -> None:
    """Makes a service's database and roles, and brings its tables to their latest revision as the owner."""
    async with supervisor.step(f"{service}.migrate"):
        urls = await cluster.create(service)
        log = topology.logs / f"{service}.migrate.log"
        topology.logs.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            process = spawn(
                topology.service_command(service, "migrate"),
                directory=topology.root,
                environment=topology.environment(service, "owner", urls.owner),
                output=output,
            )
        try:
            code = await ended(process, seconds=MIGRATION_SECONDS)
        finally:
            process.kill()
            process.wait()
        if code != 0:
            raise Fault(f"{service}: its tables could not be migrated. The end of {log}:\n{last_lines(log)}")


# ---- the plans


def _postgres(topology: Topology, cluster: Cluster) -> Plan:
    async def ready() -> str | None:
        try:
            await cluster.answer(seconds=0)
        except Fault as fault:
            return str(fault)
        return None

    return Plan(
        "postgres",
        cluster.command(),
        topology.logs / "postgres.log",
        account=cluster.account,
        stop=signal.SIGINT,  # fast: ends sessions instead of waiting for them
        before=cluster.prepare,
        ready=ready,
    )


def _kafka(topology: Topology) -> Plan:
    broker = Broker(
        topology.jars.resolve(), topology.state / "kafka" / "broker", topology.kafka_port, topology.controller_port
    )

    def before() -> None:
        jars.ensure_jars(topology.jars)
        broker.prepare()

    broker.directory.mkdir(parents=True, exist_ok=True)
    return Plan(
        "kafka",
        broker.command(),
        topology.logs / "kafka.log",
        directory=broker.directory,
        before=before,
        ready=_broker_listens(topology),
    )


def _tansu(topology: Topology, cluster: Cluster) -> Plan:
    return Plan(
        "kafka",  # the part that it plays: whoever asks for the broker finds it under one name
        tansu.Memory(topology.kafka_port).command(),
        topology.logs / "kafka.log",
        ready=_broker_listens(topology),
        again=lambda: refill(topology, cluster),
    )


def _broker_listens(topology: Topology) -> Check:
    async def ready() -> str | None:
        return None if listens(topology.kafka_port) else f"nobody listens on port {topology.kafka_port}"

    return ready


def _service(topology: Topology, cluster: Cluster, service: str, role: str) -> Plan:
    urls = cluster.urls(service)
    port = topology.api_port(service) if role == "api" else topology.worker_port(service)
    return Plan(
        f"{service}.{role}",
        topology.service_command(service, role),
        topology.logs / f"{service}.{role}.log",
        directory=topology.root,
        environment=topology.environment(service, role, urls.api if role == "api" else urls.worker),
        ready=answers(port, "/readyz"),
    )


def _gateway(topology: Topology) -> Plan:
    return Plan(
        "gateway",
        [sys.executable, "-m", "lianhu_tools.local.gateway"],
        topology.logs / "gateway.log",
        directory=topology.root,
        environment={**topology.options, "PYTHONSAFEPATH": "1", "LIANHU_PORT_BASE": str(topology.base)},
        ready=answers(topology.gateway_port, "/healthz"),
    )


def answers(port: int, path: str) -> Check:
    """A check that a path on this machine answers 200; else the reason, in words."""
    address = f"http://{HOST}:{port}{path}"

    async def check() -> str | None:
        if not listens(port):  # far cheaper than a call, while many start at once
            return f"nobody listens on port {port}"
        try:
            async with httpx.AsyncClient(trust_env=False, timeout=3) as client:
                answer = await client.get(address)
        except httpx.HTTPError as error:
            return f"{address} does not answer ({type(error).__name__})"
        return None if answer.status_code == 200 else f"{address} says {answer.status_code}: {answer.text[:300]}"

    return check


def data_of(topology: Topology) -> list[Path]:
    """What `make clean` removes beside the cluster: everything but the downloaded programs."""
    found = [path for path in topology.state.glob("*") if path != topology.state / "kafka"]
    return [*found, topology.state / "kafka" / "broker"]
