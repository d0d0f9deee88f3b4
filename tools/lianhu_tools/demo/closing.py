"""What came of the stories: journeys, tallies, reconciliation, and `demo.json` for scripts."""

import asyncio
from collections.abc import Sequence
from typing import Any

from lianhu_tools.demo.calls import Actor, Gateway, Missed, until
from lianhu_tools.demo.stage import Order, Stage, actor
from lianhu_tools.records import replace
from lianhu_tools.seed.people import roster
from lianhu_tools.seed.places import VILLAGES
from lianhu_tools.topology import SERVICES, Topology

COUNTED_SECONDS = 120.0
AT_ONCE = 16


async def finals(stages: Sequence[Stage]) -> dict[str, str]:
    """Where every order of the round stands, read from requests; Missed where one left the place of its ending."""
    found: dict[str, str] = {}
    for stage in {stage.village: stage for stage in stages}.values():
        wanted = {str(order.id): order for one in stages if one.village == stage.village for order in one.orders}
        page: dict[str, Any] = {"next": None}
        while "next" in page and not wanted.keys() <= found.keys():
            page = await stage.gateway.get(
                "requests/v1/requests",
                actor(stage.people.clerk),
                tenant=stage.village.code,
                limit=200,
                after=page["next"],
            )
            found |= {item["id"]: item["status"] for item in page["items"] if item["id"] in wanted}
        strayed = [
            f"{order.number} of story {order.story.split()[0]} is {found.get(id)}, not {' or '.join(order.final)}"
            for id, order in wanted.items()
            if found.get(id) not in order.final
        ]
        if strayed:
            raise Missed("; ".join(strayed[:5]))
    return found


async def journeys(stages: Sequence[Stage], final: dict[str, str]) -> list[dict[str, Any]]:
    """Every order of the round as demo.json tells it, once reporting has counted it where requests says it stands."""
    turn = asyncio.Semaphore(AT_ONCE)

    async def one(stage: Stage, order: Order) -> dict[str, Any]:
        status = final[str(order.id)]

        async def look() -> Any:
            path = f"reporting/v1/requests/{order.id}/timeline"
            answer = await stage.gateway.send("GET", path, actor(stage.people.clerk))
            if answer.status != 200 or answer.body["status"] != status:
                return None
            services = {step["service"] for step in answer.body["steps"]}
            return answer.body if {"requests", "notifications", "reporting"} <= services else None

        async with turn:
            what = f"{order.number} counted as {status} by reporting"
            told = await until(look, what=what, seconds=COUNTED_SECONDS, every=0.3)
        return {
            "id": str(order.id),
            "number": order.number,
            "tenant": order.tenant,
            "service": order.service,
            "story": order.story,
            "final": status,
            "steps": [{"service": step["service"], "step": step["step"], "at": step["at"]} for step in told["steps"]],
            "told": told["steps"],
        }

    works = [one(stage, order) for stage in stages for order in stage.orders]
    return list(await asyncio.gather(*works))


def supervisor(code: str) -> Actor:
    """The supervisor of a town of the demo, or of the town above a village."""
    return next(actor(roster(village).supervisor) for village in VILLAGES if village.town == code[:9])


async def balanced(gateway: Gateway, org: str) -> Any:
    """The reconciliation of a unit once nothing is in flight any more; Missed where it does not balance."""
    seen: dict[str, Any] = {}

    async def look() -> Any:
        seen.update(await gateway.get("reporting/v1/reconciliation", supervisor(org), org=org))
        return seen if seen["balanced"] is True and not seen["in_flight"] else None

    try:
        return await until(look, what=f"reconciliation of {org} balanced", seconds=COUNTED_SECONDS, every=0.5)
    except Missed as missed:
        raise Missed(
            f"{missed}: balanced {seen.get('balanced')}, in flight {seen.get('in_flight')}, "
            f"differences {seen.get('differences')}, unavailable {seen.get('unavailable')}"
        ) from None


async def tallies(gateway: Gateway, org: str, by: str = "village") -> Any:
    """The tallies of a unit."""
    return await gateway.get("reporting/v1/tallies", supervisor(org), org=org, by=by)


def add_up(answer: Any) -> None:
    """Missed unless the rows of tallies add up to their total, and each row's standings to its requests."""
    for row in [*answer["rows"], answer["total"]]:
        now = row["now"]
        ends = ("rejected", "referred", "merged", "withdrawn", "transferred", "closed_confirmed", "closed_unconfirmed")
        if now["open"] + sum(now[end] for end in ends) != row["submitted"]:
            raise Missed(f"the standings of {row.get('name', 'the total')} do not add up to its requests")
    for field in ("submitted", "matters", "volunteer_person_times", "served_person_times", "service_minutes"):
        if sum(row[field] for row in answer["rows"]) != answer["total"][field]:
            raise Missed(f"{field} of the rows do not add up to the total of {answer['org']}")


def write(topology: Topology, requests: Sequence[dict[str, Any]], of_town: Any, reconciliation: Any) -> None:
    """Replaces `.lianhu/demo.json`; a reader sees the old one or the new one."""
    addresses = {"gateway": topology.gateway_url, **{service: topology.api_url(service) for service in SERVICES}}
    content = {
        "addresses": {**addresses, "kafka": topology.kafka_bootstrap},
        "requests": [{name: value for name, value in one.items() if name != "told"} for one in requests],
        "tallies": of_town,
        "reconciliation": reconciliation,
    }
    replace(topology.state / "demo.json", content)
