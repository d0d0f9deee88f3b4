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
    return [entry for entry in nearest(entries) if entry.active]


def nearest(entries: Iterable[Entry]) -> list[Entry]:
    """Per service the entry of the nearest unit, those that are set inactive among them, in the order given."""
    given = list(entries)
    found: dict[str, Entry] = {}
    for entry in given:
        known = found.get(entry.code)
        if known is None or len(entry.tenant) > len(known.tenant):
            found[entry.code] = entry
    return [entry for entry in given if found[entry.code] is entry]
