"""Three brokers in place of one: every partition on all of them, acknowledged by two at least."""

import asyncio
import base64
import logging
import signal
import subprocess
import time
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._metadata import PartitionMetadata

from chaos.run import Run, arrives
from lianhu_tools import processes
from lianhu_tools.stores import kafka, topics
from lianhu_tools.stores.jars import ensure_jars
from support.stores import ROOT
from support.system import System

NODES = (1, 2, 3)
FIRST_PORT = 92
logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # who dies here is meant to
START_SECONDS = 90.0


class Brokers:
    """Three brokers on this machine, each voter and broker in one process as the local one is."""

    def __init__(self, folder: Path, first_port: int) -> None:
        jars = ensure_jars(ROOT / ".lianhu" / "kafka" / "jars")
        ports = [(first_port + 2 * n, first_port + 2 * n + 1) for n in range(len(NODES))]
        self._brokers = {
            node: kafka.Broker(jars, folder / f"broker-{node}", *pair, heap_megabytes=256)
            for node, pair in zip(NODES, ports, strict=True)
        }
        self._processes: dict[int, subprocess.Popen[bytes]] = {}
        self.bootstrap = ",".join(broker.bootstrap for broker in self._brokers.values())

    async def open(self) -> None:
        """Formats, starts and waits; makes the declared topics on all three."""
        cluster = base64.urlsafe_b64encode(b"L" + uuid.uuid4().bytes[1:]).decode().rstrip("=")
        for node in NODES:
            await asyncio.to_thread(self._prepare, node, cluster)
        for node in NODES:
            self.start(node)
        await self._make_topics()

    def _prepare(self, node: int, cluster: str) -> None:
        broker = self._brokers[node]
        broker.directory.mkdir(parents=True)
        voters = ",".join(f"{n}@127.0.0.1:{b.controller_port}" for n, b in self._brokers.items())
        settings = kafka.settings(broker.port, broker.controller_port)
        settings |= {name: "3" for name in settings if name.endswith("replication.factor")}
        settings |= {name: "2" for name in settings if name.endswith("min.isr")}
        settings |= {"node.id": str(node), "controller.quorum.voters": voters, "min.insync.replicas": "2"}
        (broker.directory / "server.properties").write_text("".join(f"{k}={v}\n" for k, v in settings.items()))
        (broker.directory / "log4j2.yaml").write_text("Configuration:\n  Loggers:\n    Root:\n      level: OFF\n")
        *java, _, _ = broker.command()
        arguments = ["kafka.tools.StorageTool", "format", "-t", cluster, "-c", "server.properties"]
        done = subprocess.run(
            [*java, *arguments], cwd=broker.directory, capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def start(self, node: int) -> None:
        """Starts a broker, with the data it had. On the main thread: a broker ends with the thread that started it."""
        broker = self._brokers[node]
        with (broker.directory / "broker.log").open("ab") as log:
            self._processes[node] = processes.spawn(
                broker.command(), directory=broker.directory, output=log, end_with=signal.SIGKILL
            )

    def kill(self, node: int) -> None:
        """kill -9."""
        self._processes[node].kill()
        self._processes[node].wait()

    def close(self) -> None:
        """Ends all of them."""
        for node in self._processes:
            self.kill(node)

    async def _make_topics(self) -> None:
        declared = topics.declared(ROOT / "shared" / "contracts" / "topics.yaml")
        wanted = [NewTopic(each.name, each.partitions, len(NODES), topic_configs=each.settings()) for each in declared]
        deadline = time.monotonic() + START_SECONDS
        while True:
            admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap, request_timeout_ms=20_000)
            try:
                await admin.start()
                if len((await admin.describe_cluster())["brokers"]) == len(NODES):
                    await admin.create_topics(wanted)
                    return
            except (KafkaError, AttributeError):  # the latter where the controller is not known yet
                if time.monotonic() > deadline:
                    raise
            finally:
                await admin.close()
            assert time.monotonic() < deadline, "the three brokers did not find each other"
            await asyncio.sleep(0.5)

    def leader_of(self, topic: str, partition: int) -> int:
        """The node that leads a partition now."""
        return int(self._partitions()[topic][partition].leader)

    async def whole(self, seconds: float = 90) -> None:
        """Waits until every partition has all its replicas in sync."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                found = await asyncio.to_thread(self._partitions)
                if all(len(each.isrs) == len(NODES) for of in found.values() for each in of.values()):
                    return
            except KafkaException:
                pass
            await asyncio.sleep(0.3)
        raise AssertionError(f"not all replicas were in sync again within {seconds:.0f} s")

    def _partitions(self) -> dict[str, dict[int, PartitionMetadata]]:
        told = AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0}).list_topics(timeout=10).topics
        return {name: topic.partitions for name, topic in told.items() if name.startswith("lianhu.")}


class SystemOnThree(System):
    """The local system with three brokers that it does not run itself."""

    def __init__(self, folder: Path, base: int, brokers: Brokers) -> None:
        super().__init__(folder, base)
        self.brokers = brokers
        self.environment |= {"LIANHU_BROKER": "external", "LIANHU_KAFKA_BOOTSTRAP": brokers.bootstrap}


async def three_brokers(folder: Path, base: int) -> AsyncIterator[System]:
    """A stage: three brokers, and the local system beside them."""
    brokers = Brokers(folder / "brokers", base + FIRST_PORT)
    try:
        await brokers.open()
        yield SystemOnThree(folder, base, brokers)
    finally:
        brokers.close()


async def leader_dies(run: Run) -> str:
    """kill -9 of the broker that leads a partition; it comes back later."""
    assert isinstance(run.system, SystemOnThree)
    brokers, told = run.system.brokers, []
    for _ in range(int(run.seconds(1, 3))):
        topic, partition = run.dice.choice(("lianhu.requests.v1", "lianhu.dispatch.v1")), run.dice.randrange(12)
        node = await asyncio.to_thread(brokers.leader_of, topic, partition)
        await asyncio.to_thread(brokers.kill, node)
        passed = await arrives(run)
        await asyncio.sleep(run.seconds(5, 30))
        brokers.start(node)
        await brokers.whole()
        told.append(f"broker {node}, which led {topic} {partition} (events went on after {passed:.1f} s with two)")
    return "kill -9 of " + "; ".join(told)
