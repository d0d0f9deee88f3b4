"""The directory as files: CSV that spreadsheets read as UTF-8, and xlsx; no cell runs as a formula."""

import asyncio
import csv
import io
import tempfile
from collections.abc import Sequence
from typing import IO
from uuid import UUID

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession
from xlsxwriter import Workbook

from lianhu_kit.database import now
from requests_service.domain.sheets import COLUMNS, label, safe
from requests_service.queries.exports import lines_under

IN_MEMORY = 4 * 1024 * 1024
KINDS_OF_FILE = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_NOTED = text("INSERT INTO exports (tenant, kind, by, at) VALUES (:tenant, :kind, :by, :at)")


async def export(session: AsyncSession, kind: str, at: str, by: UUID, form: str, language: str) -> IO[bytes]:
    """A list of all that lies under a code, as an open file at its beginning; that it was made is recorded.

    `form` is csv or xlsx. The columns are named in `language`; an import takes either.
    """
    await session.execute(_NOTED, {"tenant": at[:12], "kind": kind, "by": by, "at": now(session)})
    file: IO[bytes] = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - the answer closes it
    header = [label(kind, column.name, language) for column in COLUMNS[kind]]
    writer = _Csv(file, header) if form == "csv" else _Xlsx(file, header)
    async for lines in lines_under(session, kind, at):
        await asyncio.to_thread(writer.add, lines)
    await asyncio.to_thread(writer.close)
    file.seek(0)
    return file


class _Csv:
    def __init__(self, file: IO[bytes], header: Sequence[str]) -> None:
        self._text = io.TextIOWrapper(file, "utf-8-sig", newline="", write_through=True)
        self._csv = csv.writer(self._text)
        self._csv.writerow(header)

    def add(self, lines: Sequence[Sequence[str]]) -> None:
        self._csv.writerows([safe(cell) for cell in line] for line in lines)

    def close(self) -> None:
        self._text.detach()


class _Xlsx:
    def __init__(self, file: IO[bytes], header: Sequence[str]) -> None:
        # Every cell is text: codes keep all their digits, and nothing is a formula or a link.
        self._book = Workbook(file, {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
        self._sheet = self._book.add_worksheet()
        self._sheet.write_row(0, 0, header)
        self._sheet.freeze_panes(1, 0)
        self._sheet.set_column(0, len(header) - 1, 20, self._book.add_format({"num_format": "@"}))
        self._next = 1

    def add(self, lines: Sequence[Sequence[str]]) -> None:
        for line in lines:
            for place, cell in enumerate(line):
                self._sheet.write_string(self._next, place, safe(cell))
            self._next += 1

    def close(self) -> None:
        self._book.close()
