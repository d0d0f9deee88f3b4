"""Whom a request complains of: those about staff or volunteers go to the town at once, unseen by the village.

Source: the life of a request in the product's glossary.
"""

from enum import StrEnum


class About(StrEnum):
    """Whom it is about."""

    STAFF = "staff"
    VOLUNTEER = "volunteer"


class UnseenByVillage(Exception):
    """This is about somebody who works or helps in the village, which does not see it. Answer it, or refer it."""


def require_seen(about: str | None) -> None:
    """Raises UnseenByVillage for a move that would bring the request before the village."""
    if about is not None:
        raise UnseenByVillage
