"""One level up: what is decided above the village, and by whom.

Source: review, report up, suspend and extend in the product's glossary; each is decided one level up.
"""

_LENGTHS = (2, 4, 6, 9, 12, 15, 17)  # digits of a code: province, city, county, town, village, grid, group


class NotOneLevelUp(Exception):
    """This is decided one level above the village. Ask somebody of the town."""


class OwnDecision(Exception):
    """Nobody decides on what they did or asked for themselves. Let somebody else of the town decide."""


def above(code: str) -> str:
    """The code one level up; ValueError for one that has none."""
    shorter = [length for length in _LENGTHS if length < len(code)]
    if not shorter:
        raise ValueError(f"{code!r} is the top of the tree")
    return code[: shorter[-1]]


def require_above(at: str, tenant: str) -> None:
    """Raises NotOneLevelUp unless a role at a code stands above the village."""
    if len(at) >= len(tenant) or not tenant.startswith(at):
        raise NotOneLevelUp


def require_another(decides: object | None, did: object | None) -> None:
    """Raises OwnDecision where one person did something and would decide on it; an act without account is nobody's."""
    if did is not None and decides == did:
        raise OwnDecision
