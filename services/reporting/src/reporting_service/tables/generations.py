"""The generations of all other tables: one is read and written, another may be under construction."""

from sqlalchemy import Index, text
from sqlmodel import Field

from reporting_service.tables.registry import Moment, Table, moment, words


class Generation(Table, table=True):
    """A generation: `state` is building, active or old; by which rules and in which zone it was counted."""

    __tablename__ = "generations"
    __table_args__ = (Index("generations_active", "state", unique=True, postgresql_where=text("state = 'active'")),)

    generation: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    state: str = words()
    rules: int | None = None
    zone: str | None = words(default=None)
    began_at: Moment = moment(sa_column_kwargs={"server_default": text("clock_timestamp()")})
