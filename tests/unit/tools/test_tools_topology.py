"""The one topology: ports, what each process is told, and refusals of bad settings."""

from pathlib import Path

import pytest

from lianhu_tools import topology
from lianhu_tools.faults import Fault
from lianhu_tools.topology import SERVICES, Topology


@pytest.fixture
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    for name in ("LIANHU_PORT_BASE", "LIANHU_BROKER", "LIANHU_KAFKA_BOOTSTRAP"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def test_ports_stand_at_the_contracts_distances() -> None:
    ports = Topology(Path("/x"), 9000).ports()
    assert ports == {
        "gateway": 9000,
        "requests api": 9001,
        "dispatch api": 9002,
        "notifications api": 9003,
        "reporting api": 9004,
        "requests worker": 9011,
        "dispatch worker": 9012,
        "notifications worker": 9013,
        "reporting worker": 9014,
        "postgres": 9032,
        "kafka": 9092,
        "kafka's controller": 9093,
    }


def test_two_checkouts_a_hundred_apart_do_not_meet() -> None:
    here, there = (set(Topology(Path("/x"), base).ports().values()) for base in (8000, 8100))
    assert not here & there


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("role", ["api", "worker", "owner"])
def test_a_process_knows_its_own_database_and_no_other(service: str, role: str) -> None:
    url = f"postgresql://{service}_{role}:secret@127.0.0.1:9032/{service}"
    told = Topology(Path("/a b"), 9000, {"PATH": "/bin"}).environment(service, role, url)
    databases = {name: value for name, value in told.items() if name.endswith("_DATABASE_URL")}
    assert databases == {f"{service.upper()}_DATABASE_URL": url}
    assert told[f"{service.upper()}_PORT"] == str(9001 + SERVICES.index(service))
    assert told["LIANHU_KAFKA_BOOTSTRAP"] == "127.0.0.1:9092"
    assert told["LIANHU_LOCAL"] == "true"
    assert told["PATH"] == "/bin"


def test_processes_of_a_service_keep_their_files_apart() -> None:
    here = Topology(Path("/x"))
    folders = {
        here.environment(service, role, "")["LIANHU_STATE_DIRECTORY"]
        for service in SERVICES
        for role in ("api", "worker")
    }
    assert len(folders) == 2 * len(SERVICES)


def test_the_environment_wins_over_the_file(clean: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (clean / ".env").write_text("LIANHU_PORT_BASE=9500\nREQUESTS_ORDERS_PER_MINUTE=7\n")
    assert topology.current(clean).base == 9500
    monkeypatch.setenv("LIANHU_PORT_BASE", "9600")
    found = topology.current(clean)
    assert found.base == 9600
    assert found.environment("requests", "api", "")["REQUESTS_ORDERS_PER_MINUTE"] == "7"


def test_the_example_works_unedited(clean: Path) -> None:
    example = Path(__file__).resolve().parents[3] / ".env.example"
    (clean / ".env").write_text(example.read_text(encoding="utf-8"))
    with_file = topology.current(clean)
    (clean / ".env").unlink()
    without = topology.current(clean)
    assert with_file.ports() == without.ports()
    assert with_file.own_broker
    assert with_file.kafka_bootstrap == without.kafka_bootstrap


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("LIANHU_PORT_BASE", "eight", "LIANHU_PORT_BASE is 'eight'; a right value: a number"),
        ("LIANHU_PORT_BASE", "80", "LIANHU_PORT_BASE is '80'"),
        ("LIANHU_PORT_BASE", "65500", "LIANHU_PORT_BASE is '65500'"),
        ("LIANHU_BROKER", "rabbit", "LIANHU_BROKER is 'rabbit'; a right value: auto"),
        ("LIANHU_BROKER", "external", "needs LIANHU_KAFKA_BOOTSTRAP"),
    ],
)
def test_a_bad_setting_is_named_with_a_right_value(
    clean: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(Fault, match=said):
        topology.current(clean)


def test_an_external_broker_is_used_and_its_ports_are_not_taken(clean: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIANHU_BROKER", "external")
    monkeypatch.setenv("LIANHU_KAFKA_BOOTSTRAP", "10.0.0.5:9092")
    found = topology.current(clean)
    assert found.environment("dispatch", "worker", "")["LIANHU_KAFKA_BOOTSTRAP"] == "10.0.0.5:9092"
    assert "kafka" not in found.ports()
