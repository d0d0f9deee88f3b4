"""Files as tables of cells: CSV as spreadsheets save it, and xlsx; both with bounds against files made to hurt."""

import csv
import io
import re
import time
import zipfile
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from openpyxl import load_workbook

from requests_service.domain.list_faults import Unreadable
from requests_service.domain.sheets import HEADER_WITHIN, MOST_COLUMNS, MOST_LINES

Line = tuple[int, list[str]]
# A list of 50,000 lines with 60 full cells unpacks to less.
UNPACKED = 160 * 1024 * 1024
TEXTS = 48 * 1024 * 1024
PARTS = 500
READ_SECONDS = 60.0
LONGEST_FILE = 32 * 1024 * 1024
_ENTITIES = re.compile(rb"<!(DOCTYPE|ENTITY)", re.IGNORECASE)
_ZIP, _OLD = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
_WIDE = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


def read_table(content: bytes) -> Iterator[Line]:
    """The cells of a file with the numbers of their lines, as a spreadsheet shows them, one line after the other.

    What it is follows from its first bytes. Raises Unreadable for what is no list, or too large a one.
    """
    if content.startswith(_OLD):
        raise Unreadable("old-workbook")
    return _bounded(_workbook(content) if content.startswith(_ZIP) else _text(content))


def _bounded(lines: Iterator[Line]) -> Iterator[Line]:
    filled = 0
    until = time.monotonic() + READ_SECONDS
    for line, cells in lines:
        while cells and not cells[-1].strip():
            cells.pop()
        if time.monotonic() > until:
            raise Unreadable("too-big-inside")
        if len(cells) > MOST_COLUMNS:
            raise Unreadable("too-many-columns", most=MOST_COLUMNS)
        filled += bool(cells)
        if filled > MOST_LINES + 1 or line > 20 * MOST_LINES:
            raise Unreadable("too-many-lines", most=MOST_LINES)
        if cells:
            yield line, cells


def _text(content: bytes) -> Iterator[Line]:
    with io.TextIOWrapper(io.BytesIO(content), _encoding(content), newline="") as text:
        head = "\n".join(text.read(20_000).splitlines()[:HEADER_WITHIN])
        text.seek(0)
        between = max(",\t;", key=head.count)
        csv.field_size_limit(LONGEST_FILE)  # a cell that is too long is told by its line
        try:
            yield from enumerate(csv.reader(text, delimiter=between), start=1)
        except csv.Error:
            raise Unreadable("not-a-list") from None


def _encoding(content: bytes) -> str:
    for encoding in (_WIDE.get(content[:2], "utf-8-sig"), "gb18030"):
        try:
            content.decode(encoding)
        except UnicodeDecodeError:
            continue
        return encoding
    raise Unreadable("encoding")


def _workbook(content: bytes) -> Iterator[Line]:
    """The first sheet, read as it streams; nothing is calculated and nothing is followed."""
    try:
        _weigh(content)
        book = load_workbook(io.BytesIO(content), read_only=True, keep_links=False)
        sheet: Any = book.worksheets[0]
        sheet.reset_dimensions()  # what a file says of its own size is not to be trusted
        rows = sheet.iter_rows(max_col=MOST_COLUMNS + 1, values_only=True)
        for line, row in enumerate(rows, start=1):
            yield line, [_cell(value) for value in row]
    except Unreadable:
        raise
    except Exception:  # openpyxl raises whatever a broken part leads it to
        raise Unreadable("not-a-list") from None


def _weigh(content: bytes) -> None:
    """Refuses an archive that unpacks to too much, or whose XML declares entities; nothing is unpacked beyond that."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = archive.infolist()
        if len(parts) > PARTS or sum(part.file_size for part in parts) > UNPACKED:
            raise Unreadable("too-big-inside")
        for part in parts:
            if part.filename.endswith("sharedStrings.xml") and part.file_size > TEXTS:
                raise Unreadable("too-big-inside")
            if part.filename.endswith((".xml", ".rels")):
                with archive.open(part) as opened:
                    if _ENTITIES.search(opened.read(65_536).replace(b"\x00", b"")):
                        raise Unreadable("not-a-list")


def _cell(value: Any) -> str:
    """A cell as the village reads it: a phone number that was kept as a number has no fraction."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        if abs(value) >= 1e15:  # beyond what a spreadsheet keeps exactly: a code has lost its last digits
            return f"{value:.6E}"
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, int):
        return str(value) if abs(value) < 10**15 else f"{value:.6E}"
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    return value if isinstance(value, str) else "="  # an array formula and the like
