"""Plants the demo's places, catalogue, people and households over HTTP. A second time it finds them and adds nothing.

Ids are derived from places and numbers, so what is there is found again. The directory's calls keep what has not
changed; people are sent only where dispatch does not know them as they are.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any

from lianhu_tools import keys
from lianhu_tools.demo.calls import Actor, Gateway, until
from lianhu_tools.seed import catalogue, places
from lianhu_tools.seed.people import Household, Person, Roster, everybody, roster
from lianhu_tools.seed.places import VILLAGES, Village

KNOWN_SECONDS = 60.0
FRESH = timedelta(days=180)  # a check that ends sooner is dated anew


def admin(code: str) -> Actor:
    """The admin of the province above a code."""
    return Actor(keys.person_of("admin", code[:2]), (("admin", code[:2]),))


async def plant(gateway: Gateway, note: Callable[[str], None]) -> dict[str, int]:
    """Plants everything and waits until dispatch knows it. Answers how many of each kind were new or changed."""
    note("org units")
    units = await _by_province(gateway, "requests/v1/org-units", places.units(), "code", ("code", "name", "settings"))
    note("catalogue")
    services = await _catalogue(gateway)
    note("people")
    missing = await _unknown(gateway)
    await asyncio.gather(*(_people(gateway, missing, province) for province in places.provinces()))
    note("households")
    homes = [_home(home) for village in VILLAGES for home in roster(village).households]
    households = await _by_province(gateway, "requests/v1/households", homes, "tenant")
    note("until dispatch knows everybody")
    await asyncio.gather(*(_known(gateway, village) for village in VILLAGES))
    return {"units": units, "services": services, "people": len(missing), "households": households}


async def _by_province(
    gateway: Gateway, path: str, rows: Sequence[dict[str, Any]], at: str, fields: Sequence[str] = ()
) -> int:
    """Puts rows, one call a province; answers how many changed."""
    answers = await asyncio.gather(
        *(
            gateway.call(
                "PUT",
                path,
                admin(province),
                {"items": [{name: row[name] for name in fields or row} for row in rows if row[at][:2] == province]},
            )
            for province in places.provinces()
        )
    )
    return sum(answer["changed"] for answer in answers)


async def _catalogue(gateway: Gateway) -> int:
    """The default catalogue for the cities; from it the towns' with limits in seconds; and a village's own entry."""
    changed = 0
    for city in catalogue.cities():
        path = "requests/v1/services/defaults"
        changed += (await gateway.call("PUT", path, admin(city), {"at": city}))["changed"]
    for town in catalogue.towns():
        inherited = (await gateway.get("requests/v1/services", tenant=town[:4]))["items"]
        items = {"items": catalogue.of_town(town, inherited)}
        changed += (await gateway.call("PUT", "requests/v1/services", admin(town), items))["changed"]
    own = {"items": [catalogue.OWN]}
    answer = await gateway.call("PUT", "requests/v1/services", admin(catalogue.OWN["tenant"]), own)
    return changed + int(answer["changed"])


async def _people(gateway: Gateway, people: Sequence[Person], province: str) -> None:
    rows = [_row(person) for person in people if person.tenant[:2] == province]
    for begin in range(0, len(rows), 150):  # bodies stay under 64 KiB
        await gateway.post("requests/v1/people/batch", admin(province), items=rows[begin : begin + 150])


def _row(person: Person) -> dict[str, Any]:
    profile = {
        "grid": person.grid,
        "skills": list(person.skills),
        "capacity": person.capacity,
        "checked_until": person.checked_until.isoformat() if person.checked_until else None,
    }
    return {
        "id": str(person.id),
        "tenant": person.tenant,
        "name": person.name,
        "phone": person.phone,
        "roles": [{"role": role, "at": at} for role, at in person.roles],
        "volunteer": profile if person.grid else None,
    }


def _home(home: Household) -> dict[str, Any]:
    return {
        "id": str(home.id),
        "tenant": home.tenant,
        "grid": home.grid,
        "group": home.group,
        "address": home.address,
        "linking_person": str(home.linking_person),
    }


async def _unknown(gateway: Gateway) -> list[Person]:
    """The people whom dispatch does not know as they should be; residents come with their village's others."""
    seen = {village.code: await _seen(gateway, village) for village in VILLAGES}
    return [
        person
        for person in everybody()
        for known in [next((seen[code] for code in seen if code.startswith(person.tenant)), {})]
        if not _is_known(person, known)
    ]


async def _seen(gateway: Gateway, village: Village) -> dict[str, Any]:
    rows = await gateway.everything("dispatch/v1/volunteers", admin(village.code), tenant=village.code)
    return {row["id"]: row for row in rows}


def _is_known(person: Person, known: dict[str, Any]) -> bool:
    if person.grid is None:
        return bool(known)  # whoever takes no offers is sent whenever nobody of the village is known
    row = known.get(str(person.id))
    if row is None or row["grid"] != person.grid or row["capacity"] != person.capacity:
        return False
    until_day = row.get("checked_until")
    good = until_day is not None and date.fromisoformat(until_day) > date.today() + FRESH  # noqa: DTZ011
    return set(row["skills"]) == set(person.skills) and good == (person.checked_until is not None)


async def _known(gateway: Gateway, village: Village) -> None:
    """Waits until dispatch knows everybody of a village, and whose linking household is whose."""
    people: Roster = roster(village)
    wanted = {str(person.id) for person in people.everybody if person.grid}

    async def look() -> bool:
        return wanted <= set(await _seen(gateway, village))

    await until(look, what=f"dispatch knows the people of {village.name}", seconds=KNOWN_SECONDS)
