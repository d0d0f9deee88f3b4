"""What is known of a request: whom to tell about it."""

from uuid import UUID

from sqlalchemy import ARRAY, Boolean, Index, Text, Uuid, text
from sqlmodel import Field

from notifications_service.tables.table import CODE, Table


class RequestCopy(Table, table=True):
    """A request as its events tell it: ids, codes and flags only. `holders` are those who ever held its work."""

    __tablename__ = "requests"
    __table_args__ = (Index("requests_merged", "merged_into", postgresql_where=text("merged_into IS NOT NULL")),)
    id: UUID = Field(primary_key=True)
    tenant: str = Field(sa_type=CODE)
    number: str = Field(sa_type=Text)
    service: str = Field(sa_type=Text)
    grid: str | None = Field(default=None, sa_type=CODE)
    household: UUID | None = None
    resident: UUID | None = None
    reporter: UUID | None = None
    guardian: bool = Field(default=False, sa_type=Boolean)
    minor: bool = Field(default=False, sa_type=Boolean)
    urgent: bool = Field(default=False, sa_type=Boolean)
    unseen: bool = Field(default=False, sa_type=Boolean)
    status: str = Field(sa_type=Text)
    merged_into: UUID | None = None
    holders: list[UUID] = Field(default_factory=list, sa_type=ARRAY(Uuid))
