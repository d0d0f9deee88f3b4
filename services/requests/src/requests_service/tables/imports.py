"""Lists that admins import. Lines and files hold personal data; they go when the import is forgotten."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import Field

from requests_service.tables.columns import Table, code, document, moment, words


class Import(Table, table=True):
    """A list under way; `at` is the admin's place, `attempt` tells a piece of work from one that was given up."""

    __tablename__ = "imports"

    id: UUID = Field(primary_key=True)
    tenant: str = code()
    at: str = code()
    kind: str = words()
    by: UUID
    state: str = words()
    attempt: UUID
    beat_at: datetime = moment()
    lines: int = 0
    done: int = 0
    total: int = 0
    counts: dict[str, int] | None = document()
    skip_errors: bool = False
    problem: dict[str, Any] | None = document()
    obstacles: list[dict[str, Any]] = document()
    created_at: datetime = moment()
    applied_at: datetime | None = moment(nullable=True)
    undone_at: datetime | None = moment(nullable=True)


class ImportLine(Table, table=True):
    """A line that is new, changed or wrong: the record before and after it, or its faults."""

    __tablename__ = "import_lines"

    import_: UUID = Field(primary_key=True, sa_column_kwargs={"name": "import"})
    line: int = Field(primary_key=True)
    tenant: str = code()
    status: str = words()
    key: str = code()
    faults: list[dict[str, Any]] = document()
    before: dict[str, Any] | None = document()
    after: dict[str, Any] | None = document()
