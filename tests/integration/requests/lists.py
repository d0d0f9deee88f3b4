"""What tests do with lists: make files, send them in, wait for the work, look at the lines."""

import asyncio
import csv
import io
import time
from typing import Any

import asyncpg
import openpyxl

from support import bearer
from support.requests_rig import Rig

RUNNING = {"checking", "applying", "undoing"}


def table(*rows: tuple[str, ...]) -> bytes:
    """Rows as a CSV that a spreadsheet saved as UTF-8."""
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue().encode("utf-8-sig")


def workbook(*rows: tuple[Any, ...]) -> bytes:
    """Rows as an xlsx file."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


class Lists:
    """What an admin of a place does with lists."""

    def __init__(self, rig: Rig, at: str) -> None:
        self.rig = rig
        self.at = at
        self.admin = bearer("admin", at)

    async def send(self, kind: str, content: bytes, type: str = "text/csv") -> Any:
        """Sends a list in and waits until it was held against the directory."""
        answer = await self.rig.client.post(
            "/v1/imports", params={"kind": kind}, content=content, headers={**self.admin, "content-type": type}
        )
        assert answer.status_code == 202, answer.text
        return await self.settled(answer.json()["id"])

    async def settled(self, wanted: str, seconds: float = 60) -> Any:
        """The import once no work is under way."""
        until = time.monotonic() + seconds
        while True:
            found = await self.rig.good("GET", f"/v1/imports/{wanted}", self.admin)
            if found["state"] not in RUNNING:
                return found
            assert time.monotonic() < until, found
            await asyncio.sleep(0.05)

    async def ask(self, known: Any, step: str, **body: Any) -> Any:
        """Asks for a step and waits for its end."""
        await self.rig.good("POST", f"/v1/imports/{known['id']}/{step}", self.admin, body or None)
        return await self.settled(known["id"])

    async def lines(self, known: Any, status: str) -> list[Any]:
        """The lines of an import."""
        answer = await self.rig.good("GET", f"/v1/imports/{known['id']}/lines?status={status}&limit=200", self.admin)
        return list(answer["items"])

    async def export(self, kind: str, form: str = "csv") -> bytes:
        """A list as it goes out."""
        answer = await self.rig.client.get(f"/v1/exports/{kind}.{form}", headers=self.admin)
        assert answer.status_code == 200, answer.text
        return answer.content


async def scoped(rig: Rig, at: str, statement: str, *values: Any) -> Any:
    """A statement under the API's own role, in the scope of a place; its first value."""
    connection = await asyncpg.connect(rig.urls.api)
    try:
        async with connection.transaction():
            await connection.execute("SELECT set_config('lianhu.scope', $1, true)", at)
            return await connection.fetchval(statement, *values)
    finally:
        await connection.close()
