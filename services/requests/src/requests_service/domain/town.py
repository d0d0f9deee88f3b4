"""One level up: what is decided above the village, and by whom.

Source: review, report up, suspend and extend in the product's glossary; each is decided one level up.
"""

from collections.abc import Iterable

from requests_service.domain.statuses import Status

_LENGTHS = (2, 4, 6, 9, 12, 15, 17)  # digits of a code: province, city, county, town, village, grid, group


class NotOneLevelUp(Exception):
    """This is decided one level above the village. Ask somebody of the town."""


class WithVillage(Exception):
    """This is with the village. Report it up first, or let the village's clerk do it."""


class OwnDecision(Exception):
    """Nobody decides on what they did or asked for themselves. Let somebody else of the town decide."""


def above(code: str) -> str:
    """The code one level up; ValueError for one that has none."""
    shorter = [length for length in _LENGTHS if length < len(code)]
    if not shorter:
        raise ValueError(f"{code!r} is the top of the tree")
    return code[: shorter[-1]]


def _is_above(at: str, tenant: str) -> bool:
    return len(at) < len(tenant) and tenant.startswith(at)


def require_above(at: str, tenant: str) -> None:
    """Raises NotOneLevelUp unless a role at a code stands above the village."""
    if not _is_above(at, tenant):
        raise NotOneLevelUp


def require_hands(status: Status, tenant: str, roles: Iterable[tuple[str, str]]) -> None:
    """Raises unless one of somebody's roles (role, at) may answer, refer or dispatch a request where it stands.

    With the town only a supervisor above the village may (NotOneLevelUp); else anybody but a supervisor (WithVillage).
    """
    if status == Status.WITH_TOWN:
        if not any(role == "supervisor" and _is_above(at, tenant) for role, at in roles):
            raise NotOneLevelUp
    elif all(role == "supervisor" for role, _ in roles):
        raise WithVillage


def decides(role: str, at: str, tenant: str) -> str:
    """The unit to which a request is reported up: a supervisor above the village takes it, else the next unit up."""
    return at if role == "supervisor" and _is_above(at, tenant) else above(tenant)


def require_another(decides: object | None, did: object | None) -> None:
    """Raises OwnDecision where one person did something and would decide on it; an act without account is nobody's."""
    if did is not None and decides == did:
        raise OwnDecision
