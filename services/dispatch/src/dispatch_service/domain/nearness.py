"""How far work is, in words: by the codes of where somebody belongs and where it is, since no map is kept."""

from enum import StrEnum

VILLAGE = 12


class Nearness(StrEnum):
    """From the own grid outwards."""

    OWN_GRID = "own-grid"
    OWN_VILLAGE = "own-village"
    ELSEWHERE = "elsewhere"


def nearness(own_grid: str | None, own_village: str, grid: str | None, village: str) -> Nearness:
    """Where an assignment lies, seen from somebody's grid and village."""
    if own_grid is not None and own_grid == grid:
        return Nearness.OWN_GRID
    return Nearness.OWN_VILLAGE if own_village == village else Nearness.ELSEWHERE
