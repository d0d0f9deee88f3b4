"""The broker's jars: fetched once into the clone by Maven, as the pom beside this file names them."""

import fcntl
import hashlib
import os
import pwd
import re
import shutil
import subprocess
from pathlib import Path

from lianhu_tools.faults import Fault

POM = Path(__file__).with_name("pom.xml")
INSTALL = "Install Java 17 and Maven, as in: apt-get install openjdk-17-jre-headless maven"


def java() -> str:
    """The path of a Java 17 or later.

    Raises Fault, naming what to install, where there is none.
    """
    home = os.environ.get("JAVA_HOME")
    found = shutil.which("java", path=f"{home}/bin") if home else None
    found = found or shutil.which("java")
    if found is None:
        raise Fault(f"Kafka needs Java 17, and there is no `java` here. {INSTALL}.")
    said = subprocess.run([found, "-version"], capture_output=True, text=True, check=False, timeout=30).stderr
    version = re.search(r'version "(\d+)', said)
    if version is None or int(version[1]) < 17:
        raise Fault(f"Kafka needs Java 17 or later, and `{found}` is {said.splitlines()[:1]}. {INSTALL}.")
    return found


def missing(folder: Path) -> str | None:
    """What Kafka lacks to run here, in words; None where nothing. `folder` is where its jars are, or are to be."""
    try:
        java()
    except Fault:
        return "Java 17 is missing"
    return None if _complete(folder) or shutil.which("mvn") else "Maven is missing"


def ensure_jars(folder: Path) -> Path:
    """Brings the jars into `folder` where they are not there yet; quick when they are. Answers the folder.

    Raises Fault where Maven is missing or cannot fetch them.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / ".jars.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two test runs may want them at once
        if not _complete(folder):
            _fetch(folder)
            _stamp(folder).write_text(wanted())
    return folder.resolve()


def _complete(folder: Path) -> bool:
    return _stamp(folder).exists() and _stamp(folder).read_text() == wanted()


def _stamp(folder: Path) -> Path:
    return folder / ".complete"


def wanted() -> str:
    """What the jars have to be of: the pom, as a fingerprint."""
    return hashlib.sha256(POM.read_bytes()).hexdigest()


def _fetch(folder: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise Fault(f"Kafka's jars are brought by Maven, and there is no `mvn` here. {INSTALL}.")
    shutil.rmtree(folder, ignore_errors=True)
    goal = ["dependency:copy-dependencies", f"-DoutputDirectory={folder}"]
    command = [maven, "-q", "-B", *_own_repository(), "-f", str(POM), *goal]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    if done.returncode != 0 or not any(folder.glob("kafka_2.13-*.jar")):
        tail = "\n".join((done.stdout + done.stderr).splitlines()[-15:])
        raise Fault(f"Maven could not fetch Kafka's jars; does it reach its mirror (~/.m2/settings.xml)?\n{tail}")


def _own_repository() -> list[str]:
    """Names Maven's files below HOME where Java would look for another home: it asks the user database alone."""
    home = os.environ.get("HOME", "")
    try:
        known = pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:
        known = ""
    if not home or home == known:
        return []
    settings = Path(home) / ".m2" / "settings.xml"
    return [f"-Dmaven.repo.local={home}/.m2/repository", *(["-s", str(settings)] if settings.exists() else [])]
