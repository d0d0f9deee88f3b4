"""Division codes: the tree that all access, routing and roll-up stand on.

Province 2 digits, city 4, county 6, town 9, village 12 (统计用区划代码, National Bureau of Statistics of China);
Lianhu adds 3 digits for a grid and 2 more for a household group. Ancestors are prefixes.
"""

_LEVELS = {2: "province", 4: "city", 6: "county", 9: "town", 12: "village", 15: "grid", 17: "group"}
LENGTHS = tuple(_LEVELS)
VILLAGE = 12


def level_of(code: str) -> str:
    """The level that a code's length says; ValueError for anything that is no division code."""
    level = _LEVELS.get(len(code))
    if level is None or not (code.isascii() and code.isdigit()):
        raise ValueError(f"{code!r} is no division code: it has 2, 4, 6, 9, 12, 15 or 17 digits")
    return level


def ancestors(code: str) -> list[str]:
    """The codes above this one, nearest first, without itself."""
    level_of(code)
    return [code[:length] for length in reversed(LENGTHS) if length < len(code)]


def covers(scope: str, code: str) -> bool:
    """Whether a scope reaches a code: itself and everything under it. An empty scope reaches nothing."""
    return bool(scope) and code.startswith(scope)


def upper_bound(scope: str) -> str:
    """The end of a scope's range under the C collation, itself not in it (`:` follows `9`)."""
    return scope + ":"


def village_of(code: str) -> str:
    """The village of a grid, group or village; the code itself for a town and above."""
    return code[:VILLAGE]
