"""What a village inherits from town, county, city and province: the nearest says it, code by code."""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol, TypeVar


class Offered(Protocol):
    """A catalogue entry: a code, offered by a unit."""

    @property
    def code(self) -> str: ...
    @property
    def tenant(self) -> str: ...
    @property
    def active(self) -> bool: ...


Entry = TypeVar("Entry", bound=Offered)


def inherited_settings(units: Iterable[tuple[str, Mapping[str, Any]]]) -> dict[str, Any]:
    """Settings of a unit and its ancestors, as (code, settings): a longer code overrides a shorter, key by key."""
    found: dict[str, Any] = {}
    for _, settings in sorted(units, key=lambda unit: len(unit[0])):
        found.update(settings)
    return found


def inherited_catalogue(entries: Iterable[Entry]) -> list[Entry]:
    """The entries that hold in a village: per service the nearest unit's; one that it set inactive is gone.

    The order of the entries is kept.
    """
    given = list(entries)
    nearest: dict[str, Entry] = {}
    for entry in given:
        known = nearest.get(entry.code)
        if known is None or len(entry.tenant) > len(known.tenant):
            nearest[entry.code] = entry
    return [entry for entry in given if nearest[entry.code] is entry and entry.active]
