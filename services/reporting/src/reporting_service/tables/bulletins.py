"""Bulletins as they were issued."""

from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from reporting_service.tables.registry import Moment, Table, division, moment, words


class BulletinRow(Table, table=True):
    """One issue of a unit's bulletin for a period; nothing of any generation, so that a rebuild leaves it alone."""

    __tablename__ = "bulletins"

    org: str = division(primary_key=True)
    period: str = division(primary_key=True)
    revision: int = Field(primary_key=True)
    issued_at: Moment = moment()
    issued_by: UUID
    content: dict[str, Any] = Field(sa_type=JSONB)
    checksum: str = words()
