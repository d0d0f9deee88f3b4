"""The places of the demo: real division codes, and grids and groups of our own under them."""

import csv
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from lianhu_kit.divisions import ancestors, level_of

TOWN = "441702008"
DIVISIONS = Path(__file__).parents[1] / "data" / "divisions.csv"
GRIDS = 4
GROUPS = 2

# Seconds where a real village has hours; every hour is a working hour.
SETTINGS: dict[str, Any] = {
    "always_working": True,
    "quiet_hours": [],
    "wave_seconds": {"linking_household": 4, "grid": 6, "village": 8, "leader": 20},
    "urgent_contact_seconds": 30,
    "urgent_finish_seconds": 300,
    "reopen_contact_seconds": 60,
}


@dataclass(frozen=True)
class Village:
    """A village of the demo; `number` keeps its invented people apart from the others'."""

    code: str
    name: str
    number: int
    settings: dict[str, Any] = field(compare=False, repr=False)

    @property
    def town(self) -> str:
        """The town above it."""
        return self.code[:9]

    @property
    def grids(self) -> list[str]:
        """Its grids, 15 digits each."""
        return [f"{self.code}{grid:03}" for grid in range(1, GRIDS + 1)]

    def groups(self, grid: str) -> list[str]:
        """The household groups of one of its grids, 17 digits each."""
        return [f"{grid}{group:02}" for group in range(1, GROUPS + 1)]


DUIAN = Village("441702008205", "对岸村", 0, {})
ANDONG = Village("441702008204", "岸东村", 1, {})
JIANGWAN = Village("441702008002", "江湾社区", 2, {})
XIJING = Village("340111100204", "席井村", 3, {})
SHIZHU = Village("520627110215", "石柱村", 4, {"default_grid": "520627110215001"})
MANDA = Village(
    "152922103005",
    "满达社区",
    5,
    {"wave_seconds": {"linking_household": 2, "grid": 3, "village": 2, "leader": 10}},
)
VILLAGES = (DUIAN, ANDONG, JIANGWAN, XIJING, SHIZHU, MANDA)
OF_THE_TOWN = tuple(village for village in VILLAGES if village.town == TOWN)
ELSEWHERE = tuple(village for village in VILLAGES if village.town != TOWN)


@cache
def _names() -> dict[str, str]:
    with DIVISIONS.open(encoding="utf-8", newline="") as lines:
        return {row["code"]: row["name"] for row in csv.DictReader(lines)}


def provinces() -> list[str]:
    """The provinces under which the demo's villages lie."""
    return sorted({village.code[:2] for village in VILLAGES})


def units() -> list[dict[str, Any]]:
    """Every org unit of the demo, ancestors first: `{code, name, level, parent, settings}`."""
    found: dict[str, dict[str, Any]] = {}
    for village in VILLAGES:
        for code in reversed(ancestors(village.code)):
            found.setdefault(code, _unit(code, _names()[code], {}))
        found[village.code] = _unit(village.code, _names()[village.code], {**SETTINGS, **village.settings})
        for place, grid in enumerate(village.grids, 1):
            found[grid] = _unit(grid, f"{village.name}第{place}网格", {})
            for order, group in enumerate(village.groups(grid), 1):
                found[group] = _unit(group, f"{village.name}第{place}网格第{order}联户组", {})
    return sorted(found.values(), key=lambda unit: (len(unit["code"]), unit["code"]))


def _unit(code: str, name: str, settings: dict[str, Any]) -> dict[str, Any]:
    parent = next(iter(ancestors(code)), None)
    return {"code": code, "name": name, "level": level_of(code), "parent": parent, "settings": settings}
