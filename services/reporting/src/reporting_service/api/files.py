"""Reports as files: CSV (RFC 4180, with a byte order mark) and xlsx."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

import xlsxwriter
from fastapi import Response

from reporting_service.domain.sheets import Cell, harmless

CSV = "text/csv"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def as_csv(lines: Sequence[Sequence[Cell]]) -> bytes:
    """The table as CSV; the mark tells spreadsheets that it is UTF-8."""
    out = io.StringIO()
    csv.writer(out).writerows([[harmless(cell) for cell in line] for line in lines])
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def as_xlsx(lines: Sequence[Sequence[Cell]], title: str) -> bytes:
    """The table as a workbook with one sheet; no cell is a formula."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    bold = book.add_format({"bold": True, "text_wrap": True})
    sheet = book.add_worksheet(title[:31])
    for number, line in enumerate(lines):
        for column, cell in enumerate(line):
            if cell is not None:
                sheet.write(number, column, cell, bold if number == 0 else None)
    sheet.freeze_panes(1, 2)
    book.close()
    return out.getvalue()


def file_of(form: str, lines: Sequence[Sequence[Cell]], name: str) -> Response:
    """The answer with the file; `form` is csv or xlsx, `name` plain ASCII without an ending."""
    content, kind = (as_csv(lines), CSV) if form == "csv" else (as_xlsx(lines, name), XLSX)
    return Response(content, media_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}.{form}"'})
