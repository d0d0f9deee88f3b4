"""Where the tests' stores run is chosen by one setting, and refused in words."""

import socket
from pathlib import Path

import pytest

from lianhu_tools.faults import Fault
from lianhu_tools.local import commands
from lianhu_tools.topology import HOST, Topology
from support import containers, infrastructure


@pytest.mark.parametrize(
    ("wanted", "reason", "kind"),
    [
        ("auto", None, "docker"),
        ("auto", "no engine", "local"),
        ("", "no engine", "local"),
        ("local", None, "local"),
        ("docker", None, "docker"),
    ],
)
def test_the_setting_and_what_is_there_decide(
    monkeypatch: pytest.MonkeyPatch, wanted: str, reason: str | None, kind: str
) -> None:
    monkeypatch.setenv("TEST_INFRA", wanted)
    monkeypatch.setattr(containers, "missing", lambda: reason)
    assert infrastructure.kind() == kind


@pytest.mark.parametrize(
    ("wanted", "said"), [("podman", "a right value: auto, local, docker"), ("docker", "docker, and no engine")]
)
def test_what_cannot_be_had_is_refused(monkeypatch: pytest.MonkeyPatch, wanted: str, said: str) -> None:
    monkeypatch.setenv("TEST_INFRA", wanted)
    monkeypatch.setattr(containers, "missing", lambda: "no engine")
    with pytest.raises(RuntimeError, match=said):
        infrastructure.kind()


def test_a_port_in_use_is_named_with_the_way_out() -> None:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        topology = Topology(Path("/nowhere"), port)
        with pytest.raises(Fault, match=rf"Port {port} \(gateway\) is in use.*LIANHU_PORT_BASE={port + 1000}"):
            commands.require_free_ports(topology)
