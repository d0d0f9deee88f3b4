"""The whole local system in one file: who runs, on which port, under which role, told what.

Ports stand at fixed distances from a base (LIANHU_PORT_BASE), so that two checkouts run side by side:
gateway +0, the APIs +1 to +4, the workers' health +11 to +14, PostgreSQL +32, Kafka +92 and its controller +93.
"""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dotenv import dotenv_values

from lianhu_tools import keys, running
from lianhu_tools.faults import Fault

SERVICES = ("requests", "dispatch", "notifications", "reporting")
DEFAULT_BASE = 8000
HOST = "127.0.0.1"
# Everybody comes from one address here, scripts and tests among them: rates for strangers would only stop those.
# Messages to phones and mails are files in the state of notifications, to look at what would be sent.
LOCAL_MESSAGES = {"NOTIFICATIONS_PHONE_GATEWAY": "file", "NOTIFICATIONS_MAIL_SERVER": "file"}
LOCAL_RATES = {f"REQUESTS_{what}_PER_MINUTE": "1000000" for what in ("ORDERS", "TRACKS", "SIGN_INS")}
# The local gateway knows one process a service: there is no other one to send callers to.
LOCAL_DRAIN = {"LIANHU_DRAIN_SECONDS": "0"}


@dataclass(frozen=True)
class Topology:
    """Names, ports, addresses and files of one clone's local system."""

    root: Path
    base: int = DEFAULT_BASE
    options: Mapping[str, str] = field(default_factory=dict)

    # ---- ports and addresses

    @property
    def gateway_port(self) -> int:
        """Where people and scripts come in."""
        return self.base

    def api_port(self, service: str) -> int:
        """Where a service's API and pages answer."""
        return self.base + 1 + SERVICES.index(service)

    def worker_port(self, service: str) -> int:
        """Where a service's worker answers for its health."""
        return self.base + 11 + SERVICES.index(service)

    @property
    def postgres_port(self) -> int:
        """Where the one cluster answers."""
        return self.base + 32

    @property
    def kafka_port(self) -> int:
        """Where the broker answers."""
        return self.base + 92

    @property
    def controller_port(self) -> int:
        """Where the broker's controller answers the broker."""
        return self.base + 93

    def api_url(self, service: str) -> str:
        """A service's own address, beside the gateway."""
        return f"http://{HOST}:{self.api_port(service)}"

    @property
    def gateway_url(self) -> str:
        """The address that people use."""
        return f"http://{HOST}:{self.gateway_port}"

    @property
    def own_broker(self) -> bool:
        """Whether the local system runs the broker itself."""
        return self.options.get("LIANHU_BROKER", "auto") != "external"

    @property
    def kafka_bootstrap(self) -> str:
        """What clients of the broker connect to."""
        if self.own_broker:
            return f"{HOST}:{self.kafka_port}"
        return self.options.get("LIANHU_KAFKA_BOOTSTRAP", f"{HOST}:{self.kafka_port}")

    def ports(self) -> dict[str, int]:
        """Every port that the local system takes, by who takes it."""
        taken = {"gateway": self.gateway_port, "postgres": self.postgres_port}
        if self.own_broker:
            taken |= {"kafka": self.kafka_port, "kafka's controller": self.controller_port}
        for service in SERVICES:
            taken[f"{service} api"] = self.api_port(service)
            taken[f"{service} worker"] = self.worker_port(service)
        return taken

    # ---- files

    @property
    def state(self) -> Path:
        """All that the local system keeps; nothing of it is in version control."""
        return self.root / ".lianhu"

    @property
    def logs(self) -> Path:
        """One log a process."""
        return self.state / "logs"

    @property
    def jars(self) -> Path:
        """The broker's programs."""
        return self.state / "kafka" / "jars"

    @property
    def topics_file(self) -> Path:
        """The declaration of all topics."""
        return self.root / "shared" / "contracts" / "topics.yaml"

    @property
    def keys(self) -> Path:
        """The private keys that sign the local system's access tokens, one file a key: <kid>.pem."""
        return self.state / "keys"

    # ---- what each process is told

    def environment(self, service: str, role: str, database_url: str) -> dict[str, str]:
        """The environment of one process: what the caller and .env say, then what the topology decides.

        `role` is api, worker or owner (which migrates); the database address differs by it.
        """
        prefix = service.upper()
        issuer = self.options.get("LIANHU_AUTH_ISSUER", keys.ISSUER)
        return {
            **LOCAL_RATES,
            **LOCAL_DRAIN,
            **self._messages(issuer),
            **self.options,
            "PYTHONSAFEPATH": "1",  # the folder it is started in adds no modules
            "PYTHONUNBUFFERED": "1",
            f"{prefix}_DATABASE_URL": database_url,
            f"{prefix}_HOST": HOST,
            f"{prefix}_PORT": str(self.api_port(service)),
            f"{prefix}_WORKER_PORT": str(self.worker_port(service)),
            **{f"{prefix}_{other.upper()}_URL": self.api_url(other) for other in SERVICES if other != service},
            "LIANHU_GATEWAY_URL": self.gateway_url,
            "LIANHU_KAFKA_BOOTSTRAP": self.kafka_bootstrap,
            "LIANHU_AUTH_ISSUER": issuer,
            "LIANHU_AUTH_JWKS": f"{self.api_url('requests')}/auth/jwks.json",
            "LIANHU_LOCAL": "true",
            "LIANHU_PORT_BASE": str(self.base),
            "LIANHU_STATE_DIRECTORY": str(self.state / "services" / f"{service}-{role}"),
            "NOTIFICATIONS_PUBLIC_URL": self.gateway_url,
            "REQUESTS_SIGNING_KEYS": str(self.keys),
        }

    def _messages(self, issuer: str) -> dict[str, str]:
        """Where messages go that leave the house, and with what addresses are asked for: once there is a key."""
        if not any(self.keys.glob("*.pem")):
            return {}
        return {**LOCAL_MESSAGES, "NOTIFICATIONS_SERVICE_TOKEN": keys.service_token(self.keys, issuer=issuer)}

    def service_command(self, service: str, *arguments: str) -> list[str]:
        """The command line of a service: `api`, `worker`, `migrate` and what else it knows."""
        return [sys.executable, "-m", f"{service}_service", *arguments]


def clone() -> Path:
    """The clone that this command belongs to; LIANHU_ROOT names another folder to keep a system in."""
    given = os.environ.get("LIANHU_ROOT")
    return Path(given).resolve() if given else Path(__file__).resolve().parents[2]


def current(root: Path | None = None) -> Topology:
    """The topology as the environment, .env and a system that is already up decide, in this order.

    LIANHU_ROOT names another folder than the clone to keep the state in: a second system of the same clone, for tests.

    Raises Fault when LIANHU_PORT_BASE or LIANHU_BROKER has no good value.
    """
    root = root or Path(os.environ.get("LIANHU_ROOT") or clone())
    kept = {name: value for name, value in dotenv_values(root / ".env").items() if value is not None}
    options = kept | {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    broker = options.get("LIANHU_BROKER") or "auto"
    if broker not in ("auto", "kafka", "tansu", "external"):
        raise Fault(f"LIANHU_BROKER is {broker!r}; a right value: auto, kafka, tansu or external.")
    if broker == "external" and not options.get("LIANHU_KAFKA_BOOTSTRAP"):
        raise Fault("LIANHU_BROKER=external needs LIANHU_KAFKA_BOOTSTRAP, as in 10.0.0.5:9092.")
    given = options.get("LIANHU_PORT_BASE") or str(running.port_base(root / ".lianhu") or DEFAULT_BASE)
    if not given.isdecimal() or not 1024 <= int(given) <= 65_000:
        raise Fault(f"LIANHU_PORT_BASE is {given!r}; a right value: a number from 1024 to 65000, as 9000.")
    return Topology(root, int(given), options)
