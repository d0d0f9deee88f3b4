"""One row per request that was ever to be dispatched: it names the topic's key and is locked first, always."""

from uuid import UUID

from sqlmodel import Field

from dispatch_service.tables.registry import Moment, Table, division, moment, plain


class Request(Table, table=True):
    """A request as dispatch knows it. `sequence` is that of its last event on the dispatch topic."""

    __tablename__ = "requests"

    id: UUID = Field(primary_key=True)
    tenant: str = division()
    number: str = plain()
    service: str = plain()
    kind: str = plain()
    summary: str = plain()
    round: int
    sequence: int = 0
    ended: str | None = plain(default=None)
    opened_at: Moment = moment()
