"""A system that this clone does not run, as the demo sees it: its gateway and its signing keys are all there is."""

from dataclasses import dataclass, field
from pathlib import Path

from lianhu_tools.faults import Fault
from lianhu_tools.topology import Topology


@dataclass(frozen=True)
class Elsewhere(Topology):
    """A topology behind one address."""

    address: str = ""
    signing_keys: Path = field(default_factory=Path)
    folder: Path = field(default_factory=Path)

    @property
    def gateway_url(self) -> str:
        """The address that people use."""
        return self.address

    def api_url(self, service: str) -> str:
        """A service, seen through the gateway."""
        return f"{self.address}/api/{service}"

    @property
    def kafka_bootstrap(self) -> str:
        """The broker is not told of."""
        return self.options.get("LIANHU_KAFKA_BOOTSTRAP", "")

    @property
    def keys(self) -> Path:
        """The private keys that sign that system's access tokens."""
        return self.signing_keys

    @property
    def state(self) -> Path:
        """Where `demo.json` is written."""
        return self.folder


def elsewhere(topology: Topology) -> Elsewhere | None:
    """The system that LIANHU_DEMO_GATEWAY names; None without it. Raises Fault where the address or keys are no good.

    LIANHU_DEMO_KEYS: a folder with that system's keys, as the local ones else. LIANHU_DEMO_FOLDER: for `demo.json`.
    """
    address = topology.options.get("LIANHU_DEMO_GATEWAY", "").rstrip("/")
    if not address:
        return None
    if not address.startswith(("http://", "https://")):
        raise Fault(f"LIANHU_DEMO_GATEWAY is {address!r}; a right value: http://127.0.0.1:8000.")
    return Elsewhere(
        topology.root,
        topology.base,
        topology.options,
        address,
        Path(topology.options.get("LIANHU_DEMO_KEYS") or topology.keys),
        Path(topology.options.get("LIANHU_DEMO_FOLDER") or topology.state),
    )
