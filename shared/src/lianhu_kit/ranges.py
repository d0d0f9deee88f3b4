"""Rows under a division code, and lists of them: conditions that an index over (tenant, id) can follow."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, tuple_
from sqlalchemy.orm import Mapped

from lianhu_kit.divisions import VILLAGE, upper_bound


def under(column: Mapped[Any], code: str) -> ColumnElement[bool]:
    """The rows whose `column` lies at or under a code; those of a village by equation, which keeps an index's order."""
    if len(code) == VILLAGE:
        return column == code
    return and_(column >= code, column < upper_bound(code))


def newest_first(tenant: Mapped[Any], id: Mapped[Any], scope: str) -> Sequence[ColumnElement[Any]]:
    """By id, the highest first, for a list within a scope.

    A village's rows have one tenant: named first, it changes nothing but that the index over (tenant, id) gives the
    page as it stands, without reading and sorting all that the village ever had.
    """
    return (tenant.desc(), id.desc()) if len(scope) == VILLAGE else (id.desc(),)


def oldest_first(tenant: Mapped[Any], id: Mapped[Any], scope: str) -> Sequence[ColumnElement[Any]]:
    """By id, the lowest first; as `newest_first`."""
    return (tenant.asc(), id.asc()) if len(scope) == VILLAGE else (id.asc(),)


def before(tenant: Mapped[Any], id: Mapped[Any], scope: str, last: UUID) -> ColumnElement[bool]:
    """What comes after `last` in a list of the newest first."""
    return tuple_(tenant, id) < (scope, last) if len(scope) == VILLAGE else id < last


def after(tenant: Mapped[Any], id: Mapped[Any], scope: str, last: UUID) -> ColumnElement[bool]:
    """What comes after `last` in a list of the oldest first."""
    return tuple_(tenant, id) > (scope, last) if len(scope) == VILLAGE else id > last
