"""`lianhu`: the local system, its tokens, and looks at what it does. Every make target that is no check calls it."""

import asyncio
import importlib
import sys
from collections.abc import Sequence
from dataclasses import asdict
from importlib.util import find_spec
from typing import Annotated
from uuid import UUID

import typer
from rich.console import Console

from lianhu_kit.access import ROLES
from lianhu_kit.divisions import level_of
from lianhu_tools import checks, keys, repairs, screen
from lianhu_tools.faults import Fault
from lianhu_tools.local import commands
from lianhu_tools.looks import broker, databases, follow, journey, waterfall
from lianhu_tools.looks import parked as parking
from lianhu_tools.stores import archive, jars, tansu
from lianhu_tools.topology import current

app = typer.Typer(
    help="Lianhu on your machine.", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
)
app.add_typer(repairs.app)
AsJson = Annotated[bool, typer.Option("--json", help="for scripts")]


@app.command()
def prepare() -> None:
    """Make the keys and fetch the broker's programs: what `make setup` does after the packages."""
    topology = current()
    keys.ensure(topology.keys)
    if topology.own_broker and tansu.reason(topology) is None:
        archive.ensure_archive(jars.ensure_jars(topology.jars))


@app.command()
def up() -> None:
    """Start everything in the background and wait until it is ready."""
    commands.up(current(), screen.console())


@app.command()
def down() -> None:
    """End everything; the data stay."""
    commands.down(current(), screen.console())


@app.command()
def status(json: AsJson = False) -> None:
    """Every process: port, pid, restarts, and whether it is ready (else the exit code is 1)."""
    if not commands.status(current(), screen.console(), json=json):
        raise typer.Exit(1)


@app.command()
def clean() -> None:
    """End everything and remove its data, logs and keys."""
    commands.clean(current(), screen.console())


@app.command()
def demo() -> None:
    """Play the stories on the system that is up."""
    if find_spec("lianhu_tools.demo") is None:
        raise Fault("The demo is not part of this clone yet.")
    importlib.import_module("lianhu_tools.demo.command").play()


@app.command()
def token(role: str, at: str = "", person: str = "") -> None:
    """Print an access token of the local system. A resident needs no place; without a person an invented one."""
    topology = current()
    keys.ensure(topology.keys)
    if role not in ROLES:
        raise Fault(f"There is no role {role!r}; say role= one of {', '.join(ROLES)}.")
    if not at and role != "resident":
        raise Fault(f"Say where: at=<division code>, as in role={role} at=441702008205.")
    try:
        if at:
            level_of(at)
        who = UUID(person) if person else None
    except ValueError as error:
        raise Fault(f"{error}; at= is a division code such as 441702008205, person= a UUID.") from None
    issuer = topology.options.get("LIANHU_AUTH_ISSUER")
    print(keys.token(topology.keys, role, at, who, issuer=issuer or keys.ISSUER))


@app.command()
def topics() -> None:
    """The topics, and how many events each holds."""
    rows = asyncio.run(broker.topics(current()))
    shown = [(row.name, row.owner, row.partitions, row.cleanup, row.retention, row.events) for row in rows]
    screen.table(screen.console(), ["topic", "owner", "partitions", "cleanup", "kept", "events"], shown)


@app.command()
def lag(json: AsJson = False) -> None:
    """How far every service has read every topic, and what it has still to publish."""
    found, out = asyncio.run(broker.lag(current())), screen.console()
    if json:
        out.print_json(data=found.as_json())
        return
    groups = [(row.service, row.topic, row.read, row.lag) for row in found.groups]
    screen.table(out, ["service", "topic", "read", "lag"], groups)
    backlog = [(row.service, row.unpublished, row.waiting, row.parked) for row in found.backlog]
    screen.table(out, ["service", "unpublished", "waiting", "parked"], backlog)


@app.command()
def parked(
    service: Annotated[str, typer.Argument()] = "",
    id: Annotated[int, typer.Option("--id", help="one event: everything that is known of it")] = 0,
    retry: Annotated[str, typer.Option(help="have it tried again, and what is behind it: the reason")] = "",
    drop: Annotated[str, typer.Option(help="have it passed by for good: the reason")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="drop without asking")] = False,
    json: AsJson = False,
) -> None:
    """Events that a service could not take in, with the reason; with an id, one of them, and what becomes of it."""
    topology, out = current(), screen.console()
    decision = parking.chosen(retry, drop)
    if service or id or decision:
        databases.require_service(service)
    if decision:
        verdict, reason = decision
        if not id:
            raise Fault("Say which: id=, as `make parked` shows it.")
        if verdict == "drop" and not yes and not (sys.stdin.isatty() and typer.confirm("Pass it by for good?")):
            raise Fault("A dropped event is never applied: say yes=1 where nobody can be asked.")
        left = asyncio.run(parking.decide(topology, service, id, verdict, reason))
        out.print(f"Carried out; what fails again is parked again. Parked of this key: {len(left)}.")
        if left:
            rows = [(row.id, row.key, row.sequence, row.type, row.reason) for row in left]
            screen.table(out, ["id", "key", "sequence", "type", "reason"], rows)
    elif id:
        out.print_json(data=asyncio.run(parking.show(topology, service, id)).model_dump(mode="json"))
    else:
        _list_parked(asyncio.run(databases.parked(topology, service)), out, json=json)


def _list_parked(rows: Sequence[databases.ParkedRow], out: Console, *, json: bool) -> None:
    if json:
        out.print_json(data=[{**asdict(row), "at": row.at.isoformat()} for row in rows])
    elif not rows:
        out.print("Nothing is parked.")
    else:
        columns = ["service", "id", "topic", "key", "sequence", "type", "tenant", "reason", "at", "decided"]
        screen.table(out, columns, [tuple(asdict(row).values()) for row in rows])


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def psql(context: typer.Context, service: str) -> None:
    """Open a service's database; further arguments go to psql."""
    databases.psql(current(), service, context.args)


@app.command()
def logs(
    name: Annotated[str, typer.Argument()] = "",
    lines: Annotated[int, typer.Option("--lines", "-n")] = 100,
    once: Annotated[bool, typer.Option("--once", help="do not wait for more")] = False,
    id: Annotated[str, typer.Option("--id", help="only one request's lines: its id, a trace's or a call's")] = "",
) -> None:
    """The logs of a service, or of kafka, postgres, gateway, supervisor; with an id, one request's lines of all."""
    if id:
        found = asyncio.run(waterfall.hops(current(), id)) if id.count("-") == 4 else []
        ids = {id, *(hop.trace for hop in found), *(hop.id for hop in found), *(hop.cause for hop in found)}
        for line in follow.joined(follow.files(current(), name), ids):
            print(line)
        return
    follow.show(follow.files(current(), name), lines, follow=not once and sys.stdout.isatty())


@app.command()
def trace(request: str, json: AsJson = False) -> None:
    """A request's way through the services: every call, the events that it brought, and how long each hop took."""
    topology, out = current(), screen.console()
    steps = asyncio.run(journey.timeline(topology, request))
    roots = waterfall.grown(asyncio.run(waterfall.hops(topology, str(UUID(request)))))
    if json:
        out.print_json(data={"steps": steps, "events": [root.as_json() for root in roots]})
        return
    rows = [(step["at"], step["service"], step["step"], step.get("by")) for step in steps]
    screen.table(out, ["at", "service", "step", "by"], rows)
    out.print()
    for line in waterfall.drawn(roots):
        out.print(line, markup=False)


@app.command()
def check(names: Annotated[list[str] | None, typer.Argument()] = None) -> None:
    """Run the checks: house, unit, contract, integration, e2e; all without a name."""
    root = current().root
    if not checks.run(checks.chosen(root, names or []), screen.console()):
        raise typer.Exit(1)


def main() -> None:
    """Runs the command line; a fault is one message and exit code 1."""
    try:
        app()
    except Fault as fault:
        screen.fail(str(fault))
        sys.exit(1)


if __name__ == "__main__":
    main()
