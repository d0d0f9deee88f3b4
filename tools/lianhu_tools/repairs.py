"""`lianhu replay`, `refill`, `rebuild`, `backup`, `restore`, `fenced`, `unfence`: what brings lost things back."""

import asyncio
import subprocess
import sys
from collections.abc import Sequence
from typing import Annotated, NoReturn
from zoneinfo import ZoneInfo

import typer

from lianhu_kit.rereading import moment
from lianhu_tools import screen
from lianhu_tools.faults import Fault
from lianhu_tools.local import rebuilding, restoring
from lianhu_tools.local.system import cluster_of
from lianhu_tools.looks import databases
from lianhu_tools.stores import fences, topics
from lianhu_tools.stores.topics import declared
from lianhu_tools.topology import current

app = typer.Typer()


@app.command()
def replay(
    service: str,
    since: Annotated[str, typer.Option("--from", help="a date, or an RFC 3339 time with its offset")] = "",
) -> None:
    """Build reporting's tables anew from the topics, beside the live ones, and swap.

    With --from, for every service: read again what came since; what is applied already is dropped.
    """
    databases.require_service(service)
    if service != "reporting" and not since:
        raise Fault(
            f"Only reporting is built anew from all topics. Say from=2026-11-20 to have {service} read again what came "
            "since: what it has applied is dropped, what it missed is applied."
        )
    _run(service, "replay", *(["from", since] if since else []))


@app.command()
def rebuild(
    service: str, yes: Annotated[bool, typer.Option("--yes", help="although it has a database")] = False
) -> None:
    """Fill a new database of reporting or notifications from the topics, and put it in place of a lost one."""
    databases.require_service(service)
    rebuilding.rebuild(current(), service, screen.console(), sure=yes)


@app.command()
def backup(service: Annotated[str, typer.Argument()] = "") -> None:
    """A base backup of the cluster, whose log is archived from then on; with a service, a dump of it alone."""
    if service:
        databases.require_service(service)
    restoring.backup(current(), service, screen.console())


@app.command()
def restore(
    service: str,
    source: Annotated[str, typer.Option("--from", help="a backup's name; else the newest")] = "",
    to: Annotated[str, typer.Option(help="as it was at this RFC 3339 time; else to the log's end")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="do it")] = False,
) -> None:
    """Put a service's database back from a backup; fence what its topics know and it no longer does."""
    databases.require_service(service)
    topology = current()
    zone = ZoneInfo(topology.options.get("LIANHU_TIMEZONE") or "Asia/Shanghai")
    try:
        until = moment(to, zone) if to else None
    except ValueError as error:
        raise Fault(f"to=: {error}") from None
    restoring.restore(topology, service, source, until, screen.console(), sure=yes)


@app.command()
def fenced(service: str, json: Annotated[bool, typer.Option("--json", help="for scripts")] = False) -> None:
    """Keys that nothing is published for since a restore, as their topic is ahead of the database."""
    databases.require_service(service)
    found, out = restoring.fenced(current(), service), screen.console()
    if json:
        out.print_json(data=fences.as_json(found))
        return
    for line in restoring.shown(found) or ["Nothing is fenced."]:
        out.print(line, markup=False)


@app.command()
def unfence(service: str, key: Annotated[str, typer.Option()] = "", why: Annotated[str, typer.Option()] = "") -> None:
    """Let a fenced key, or all, go on behind what its topic has had."""
    databases.require_service(service)
    restoring.unfence(current(), service, key, why, screen.console())


@app.command()
def refill(topic: str) -> None:
    """Publish a topic's kept events again; who reads them sees no change."""
    owners = {each.name: each.owner for each in declared(current().topics_file)}
    if topic not in owners:
        raise Fault(f"There is no topic {topic!r}; say topic= one of {', '.join(owners)}.")
    known = declared(current().topics_file)
    asyncio.run(topics.create(current().kafka_bootstrap, known, seconds=15))  # a lost topic is made again first
    _run(owners[topic], "refill", topic)


def _run(service: str, *arguments: str) -> NoReturn:
    """Runs a command of a service with its worker's environment; its exit code becomes ours."""
    databases.require_service(service)
    topology = current()
    url = cluster_of(topology).urls(service).worker
    environment = topology.environment(service, "worker", url)
    command: Sequence[str] = topology.service_command(service, *arguments)
    sys.exit(subprocess.run(command, env=environment, cwd=topology.root, check=False).returncode)
