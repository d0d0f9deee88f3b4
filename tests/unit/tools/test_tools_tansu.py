"""When the local system takes the broker in memory, and what it says about it."""

import os
from pathlib import Path

import pytest

from lianhu_tools.stores import jars, tansu
from lianhu_tools.topology import Topology


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine without Java and Maven, and a clone on it."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    return tmp_path


def _install(clone: Path, name: str, script: str) -> None:
    (clone / "bin").mkdir(exist_ok=True)
    program = clone / "bin" / name
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


def test_without_java_it_is_taken_and_java_is_named(bare: Path) -> None:
    assert tansu.reason(Topology(bare)) == "Java 17 is missing"


def test_an_old_java_does_not_do(bare: Path) -> None:
    _install(bare, "java", """echo 'openjdk version "11.0.2"' >&2""")
    assert tansu.reason(Topology(bare)) == "Java 17 is missing"


def test_without_maven_it_is_taken_unless_the_jars_are_there(bare: Path) -> None:
    _install(bare, "java", """echo 'openjdk version "17.0.2"' >&2""")
    topology = Topology(bare)
    assert tansu.reason(topology) == "Maven is missing"
    topology.jars.mkdir(parents=True)
    (topology.jars / ".complete").write_text("of another pom")
    assert tansu.reason(topology) == "Maven is missing"
    (topology.jars / ".complete").write_text(jars.wanted())
    assert tansu.reason(topology) is None


def test_with_both_kafka_is_taken(bare: Path) -> None:
    _install(bare, "java", """echo 'openjdk version "21"' >&2""")
    _install(bare, "mvn", "exit 0")
    assert tansu.reason(Topology(bare)) is None


def test_who_asks_for_a_broker_gets_that_one(bare: Path) -> None:
    assert tansu.reason(Topology(bare, options={"LIANHU_BROKER": "tansu"})) == "LIANHU_BROKER is tansu"
    assert tansu.reason(Topology(bare, options={"LIANHU_BROKER": "kafka"})) is None
    assert tansu.reason(Topology(bare, options={"LIANHU_BROKER": "external"})) is None


def test_the_sentence_names_what_is_missing_what_it_means_and_what_to_do() -> None:
    said = tansu.sentence("Maven is missing")
    assert said.startswith("Maven is missing: ")
    assert "in memory" in said
    assert "begins empty" in said
    assert jars.INSTALL in said


def test_its_program_is_there_and_listens_on_this_machine_alone() -> None:
    assert os.access(tansu.program(), os.X_OK)
    addresses = [word for word in tansu.Memory(9092).command() if word.startswith("tcp://")]
    assert addresses == ["tcp://127.0.0.1:9092"] * 2
