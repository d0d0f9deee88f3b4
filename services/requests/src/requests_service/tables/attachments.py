"""Photos of orders. They are personal data, and stay in this service."""

from datetime import datetime
from uuid import UUID

from sqlmodel import Field

from requests_service.tables.columns import Table, code, moment, words


class Attachment(Table, table=True):
    """A photo as it was saved anew: `digest` is of `content`, `purpose` what it shows, `by` who added it."""

    __tablename__ = "attachments"

    id: UUID = Field(primary_key=True)
    request_id: UUID
    tenant: str = code()
    purpose: str = words()
    media_type: str = words()
    size: int
    digest: bytes
    by: UUID | None = None
    at: datetime = moment()
    thumbnail: bytes
    content: bytes
