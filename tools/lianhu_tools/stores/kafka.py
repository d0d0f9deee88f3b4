"""One Kafka broker (KRaft, broker and controller in one process) that listens on the loopback only."""

import base64
import subprocess
import uuid
from dataclasses import dataclass
from pathlib import Path

from lianhu_tools.faults import Fault
from lianhu_tools.stores.jars import java

# Few internal partitions and small buffers: one broker on a laptop, with topics of twelve partitions.
# After a crash the controller takes the broker back only once its session has ended: 3 s instead of 9.
_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller_port}
listeners=CLIENTS://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=CLIENTS://127.0.0.1:{port}
inter.broker.listener.name=CLIENTS
controller.listener.names=CONTROLLER
listener.security.protocol.map=CLIENTS:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs=data
auto.create.topics.enable=false
num.partitions=12
default.replication.factor=1
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=2
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.num.partitions=2
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
broker.heartbeat.interval.ms=500
broker.session.timeout.ms=3000
group.min.session.timeout.ms=1000
log.cleaner.dedupe.buffer.size=16777216
log.cleaner.threads=1
log.index.size.max.bytes=1048576
num.network.threads=2
num.io.threads=4
num.recovery.threads.per.data.dir=2
queued.max.requests=200
"""

_LOG4J = """\
Configuration:
  Appenders:
    Console:
      name: out
      PatternLayout:
        pattern: "%d{yyyy-MM-dd'T'HH:mm:ss.SSSXXX} %p %c{1} %m%n"
  Loggers:
    Root:
      level: WARN
      AppenderRef:
        ref: out
    Logger:
      - name: kafka.server.KafkaRaftServer
        level: INFO
"""


def settings(port: int, controller_port: int) -> dict[str, str]:
    """The broker's settings in Kafka's own words."""
    lines = _PROPERTIES.format(port=port, controller_port=controller_port).splitlines()
    return dict(line.split("=", 1) for line in lines)


@dataclass(frozen=True)
class Broker:
    """A broker's files and ports. `directory` holds its settings and, below `data`, all that it stores."""

    jars: Path
    directory: Path
    port: int
    controller_port: int
    heap_megabytes: int = 384

    @property
    def bootstrap(self) -> str:
        """What clients connect to, as host:port."""
        return f"127.0.0.1:{self.port}"

    def prepare(self) -> None:
        """Writes the settings and formats the storage where it is new (about a second).

        Raises Fault where Java is missing or the storage cannot be formatted.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        # Paths stand relative to the working directory, so that no character of the clone's path can hurt.
        lines = [f"{name}={value}\n" for name, value in settings(self.port, self.controller_port).items()]
        (self.directory / "server.properties").write_text("".join(lines))
        (self.directory / "log4j2.yaml").write_text(_LOG4J)
        if (self.directory / "data" / "meta.properties").exists():
            return
        # A fixed first byte: an id that began with "-" would be read as an option.
        cluster = base64.urlsafe_b64encode(b"L" + uuid.uuid4().bytes[1:]).decode().rstrip("=")
        arguments = ["kafka.tools.StorageTool", "format", "-t", cluster, "-c", "server.properties"]
        command = [*self._java(), *arguments]
        done = subprocess.run(command, cwd=self.directory, capture_output=True, text=True, check=False, timeout=60)
        if done.returncode != 0:
            said = done.stdout + done.stderr
            raise Fault(f"Kafka's storage in {self.directory} could not be formatted:\n{said}")

    @property
    def archive(self) -> Path:
        """The broker's classes as Java likes to load them; it goes without where there is none."""
        return self.jars / "broker.jsa"

    def command(self, record: Path | None = None) -> list[str]:
        """The broker's command line, to be run in `directory`; with `record` it writes an archive at its end."""
        classes = [f"-XX:SharedArchiveFile={self.archive}"] if self.archive.exists() else []
        classes = [f"-XX:ArchiveClassesAtExit={record}"] if record is not None else classes
        return [*self._java(), *classes, f"-Xmx{self.heap_megabytes}m", "kafka.Kafka", "server.properties"]

    def _java(self) -> list[str]:
        return [
            java(),
            "-XX:+UseSerialGC",
            "-XX:-UsePerfData",
            "-Xshare:auto",
            "-XX:TieredStopAtLevel=1",  # half the work at start; the best compiler pays only under load
            "-Dlog4j2.configurationFile=log4j2.yaml",
            "-cp",
            f"{self.jars}/*",
        ]
