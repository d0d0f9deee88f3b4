"""What the demo prints at its end: journeys, tallies, addresses."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from rich.console import Console
from rich.markup import escape

from lianhu_tools import screen
from lianhu_tools.demo.elsewhere import Elsewhere
from lianhu_tools.seed.people import roster
from lianhu_tools.seed.places import DUIAN, TOWN
from lianhu_tools.topology import SERVICES, Topology


def journeys(out: Console, requests: Sequence[dict[str, Any]]) -> None:
    """Requests with their steps in the order of time, told service by service."""
    out.print("\n[bold]每一单走过的路[/bold]  [dim]every story's requests across the four services[/dim]")
    for request in requests:
        out.print(f"\n[bold]{request['number']}[/bold] {escape(request['story'])} → [green]{request['final']}[/green]")
        spells = groupby(request["told"], key=lambda step: str(step["service"]))
        told = ((service, ", ".join(_told(service, list(steps)))) for service, steps in spells)
        out.print("  " + " · ".join(f"[cyan]{service}[/cyan] {escape(words)}" for service, words in told if words))


def _told(service: str, steps: Sequence[dict[str, Any]]) -> Iterator[str]:
    """The steps of one service that follow each other; equal messages are told as one."""
    if service == "notifications":
        # Whatever goes into an inbox is there at once: that it was due says nothing more.
        said = [step for step in steps if (step["step"], step.get("channel")) != ("due", "inbox")]
        alike = Counter((step["step"], step.get("channel"), step.get("purpose")) for step in said)
        for (step, channel, purpose), number in alike.items():
            yield f"{purpose} {channel} {step}{f' ×{number}' if number > 1 else ''}"
        return
    for step in steps:
        match step["step"]:
            case "offered":
                yield f"offered ({step.get('audience')})"
            case "confirmed":
                yield f"confirmed ({step.get('solved')}, {step.get('grade')})"
            case name:
                yield str(name)


COLUMNS = {
    "submitted": "点单",
    "open": "在办",
    "closed_confirmed": "已确认",
    "closed_unconfirmed": "未确认",
    "referred": "转办",
    "merged": "并单",
    "rejected": "不予受理",
    "withdrawn": "撤单",
}


def tallies(out: Console, title: str, answer: Any) -> None:
    """A table of tallies, its total last."""
    out.print(f"\n[bold]{escape(title)}[/bold]")
    columns = ["", *COLUMNS.values(), "办件", "服务人次", "参与人次", "满意率"]
    rows = [_cells(row["name"], row) for row in answer["rows"]] + [_cells("合计", answer["total"])]
    screen.table(out, columns, rows)


def _cells(name: str, row: Any) -> list[object]:
    numbers = [row["submitted"], *(row["now"][column] for column in list(COLUMNS)[1:])]
    people = [row["matters"], row["served_person_times"], row["volunteer_person_times"]]
    return [name, *numbers, *people, row["rates"]["satisfaction"]["text"]]


def sign_ins(out: Console, topology: Topology) -> None:
    """Who can sign in to the pages, with which phone; the code stands on a page of the local system."""
    people = roster(DUIAN)
    out.print("\n[bold]登录[/bold]  [dim]sign in with a phone; the code stands on the second page[/dim]")
    out.print(f"  {topology.gateway_url}/sign-in   {topology.gateway_url}/sign-in/codes")
    ready = (
        ("村干部", "clerk", people.clerk.phone, "/desk"),
        ("网格长", "grid leader", people.leaders[0].phone, "/board"),
        ("志愿者", "volunteer", people.volunteers[0].phone, "/tasks"),
        ("镇街督导", "supervisor", people.supervisor.phone, "/desk/town"),
        ("居民", "resident", people.residents[0].phone, "/track/mine"),
    )
    for chinese, english, phone, home in ready:
        out.print(f"  {phone}  {chinese} [dim]{english}[/dim]  {topology.gateway_url}{home}")


def addresses(out: Console, topology: Topology) -> None:
    """Where to look next."""
    out.print("\n[bold]看一看[/bold]  [dim]have a look[/dim]")
    out.print(f"  {topology.gateway_url}/  [dim]the first page: order, follow[/dim]")
    for service in SERVICES:
        out.print(f"  {topology.api_url(service)}/docs  [dim]{service}: its API[/dim]")
    out.print(f"  {topology.state / 'demo.json'}  [dim]all of this, for scripts[/dim]")
    if isinstance(topology, Elsewhere):  # its stores and processes are not make's
        return
    out.print(f"  kafka {topology.kafka_bootstrap}  [dim]make topics, make lag[/dim]")
    out.print(f"  make -s token role=clerk at={DUIAN.code}  [dim]a token; or supervisor at={TOWN}, volunteer, …[/dim]")
    out.print("  make trace id=<request id>  [dim]one request's journey[/dim]")
    out.print("  make down  [dim]end it; the data stay[/dim]")
