"""The catalogue of the demo: the default one of a city, with a town's limits in seconds, and a village's own entry."""

from collections.abc import Mapping
from typing import Any

from lianhu_tools.seed.places import DUIAN, VILLAGES

QUICK = "door-lamp"
LIMITS: dict[str, Any] = {
    "contact": {"seconds": 60, "working": True},
    "finish": {"seconds": 900, "working": True},
    "confirm": {"seconds": 900},
}
# What 对岸村 offers beside what it inherits: so soon to be confirmed that one can watch silence end it.
OWN: dict[str, Any] = {
    "tenant": DUIAN.code,
    "code": QUICK,
    "name": "门灯报修",
    "name_en": "Lamp at the door",
    "description": "门口的灯不亮。",
    "kind": "convenience",
    "limits": {**LIMITS, "confirm": {"seconds": 12}},
    "position": 100,
}


def cities() -> list[str]:
    """The cities whose villages inherit the default catalogue."""
    return sorted({village.code[:4] for village in VILLAGES})


def towns() -> list[str]:
    """The towns that set limits of their own."""
    return sorted({village.town for village in VILLAGES})


def of_town(town: str, inherited: list[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A town's entries: those inherited, in their order, with the demo's limits."""
    return [
        {**entry, "tenant": town, "limits": LIMITS, "position": position}
        for position, entry in enumerate(inherited, 1)
        if entry["code"] != QUICK
    ]
