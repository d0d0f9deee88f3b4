"""Lists as villages keep them in spreadsheets: which columns a kind has, and what a cell may hold."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice

from requests_service.domain.list_faults import Fault, Unreadable

MOST_LINES = 50_000
MOST_COLUMNS = 60
LONGEST_CELL = 2000
# A header may have a title or two above it.
HEADER_WITHIN = 5
# What a spreadsheet would run as a formula (OWASP: CSV injection); an apostrophe in front makes it text.
_RUNS = ("=", "+", "-", "@", "\t", "\r")
_ERRORS = re.compile(r"#(N/A|REF!|VALUE!|NAME\?|DIV/0!|NULL!|NUM!)")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_DRESSING = re.compile(r"[\s*＊:：()（）_-]+")


@dataclass(frozen=True)
class Column:
    """A column: its name in English, in Chinese, what else it is called, and whether a list needs it."""

    name: str
    zh: str
    others: tuple[str, ...] = ()
    needed: bool = False


_LINKING = ("linking household", "linking person", "linking phone", "中心户", "党员中心户电话")
COLUMNS: Mapping[str, tuple[Column, ...]] = {
    "units": (Column("code", "代码", ("统计用区划代码", "区划代码"), True), Column("name", "名称", (), True)),
    "groups": (Column("code", "代码", ("组代码",), True), Column("name", "名称", (), True)),
    "households": (
        Column("id", "编号"),
        Column("village", "村代码", ("村",)),
        Column("code", "户号", ("门牌号", "门牌", "plate", "household")),
        Column("grid", "网格代码", ("网格",)),
        Column("group", "组代码", ("组", "联户组")),
        Column("address", "住址", ("地址",)),
        Column("linking", "党员中心户", _LINKING),
    ),
    "people": (
        Column("id", "编号"),
        Column("village", "村代码", ("村", "tenant", "unit", "单位代码")),
        Column("name", "姓名", (), True),
        Column("phone", "电话", ("手机", "手机号", "联系电话")),
        Column("roles", "角色", ("role", "身份")),
        Column("grid", "网格代码", ("网格",)),
        Column("skills", "技能", ("skill", "特长")),
        Column("capacity", "同时可接", ("可接单数",)),
        Column("checked_until", "审查有效期", ("checked until",)),
        Column("active", "在用", ("启用",)),
    ),
    "linking": (
        Column("village", "村代码", ("村",)),
        Column("household", "户号", ("code", "门牌号", "门牌", "plate", "id", "编号"), True),
        Column("linking", "党员中心户", _LINKING, True),
    ),
}
KINDS = tuple(COLUMNS)


@dataclass
class Row:
    """A line of a list: its number in the spreadsheet and its cells by column; a column that is absent is not there."""

    line: int
    cells: dict[str, str]
    faults: list[Fault]


def label(kind: str, column: str, language: str) -> str:
    """A column's name in a language; empty for a whole line."""
    found = next((each for each in COLUMNS[kind] if each.name == column), None)
    return "" if found is None else (found.name if language == "en" else found.zh)


def safe(value: str) -> str:
    """A cell that no spreadsheet runs as a formula: an apostrophe before what could be one."""
    return f"'{value}" if value.startswith(_RUNS) else value


def _plain(text: str) -> str:
    return _DRESSING.sub("", text).casefold()


def columns_of(kind: str, cells: Sequence[str]) -> list[str] | None:
    """The columns that a header names, in its order, `""` for a cell without a name; None where it is no header.

    Raises Unreadable for a header with unknown columns, or with one twice.
    """
    named = {_plain(name): each.name for each in COLUMNS[kind] for name in (each.name, each.zh, *each.others)}
    found = [named.get(_plain(cell), "") for cell in cells]
    if not {each.name for each in COLUMNS[kind] if each.needed} <= set(found) or not any(found):
        return None
    if unknown := [cell.strip()[:40] for cell, name in zip(cells, found, strict=True) if cell.strip() and not name]:
        raise Unreadable("column-unknown", columns="、".join(unknown[:10]))
    if twice := sorted({name for name in found if name and found.count(name) > 1}):
        raise Unreadable("column-twice", columns="、".join(label(kind, name, "zh-CN") for name in twice))
    return found


def rows_of(kind: str, table: Iterable[tuple[int, Sequence[str]]]) -> Iterator[Row]:
    """The lines of a table of cells (number, cells), one after the other, without blank ones.

    Raises Unreadable where it is no list of the kind, on the way too.
    """
    lines = iter(table)
    first = list(islice(lines, HEADER_WITHIN))
    header, begins = _header(kind, first)
    empty = True
    for line, cells in chain(first[begins:], lines):
        if any(cell.strip() for cell in cells):
            empty = False
            yield _row(line, header, cells)
    if empty:
        raise Unreadable("no-lines")


def _row(line: int, header: Sequence[str], cells: Sequence[str]) -> Row:
    row = Row(line, dict.fromkeys(filter(None, header), ""), [])
    for place, cell in enumerate(cells):
        name = header[place] if place < len(header) else ""
        if name:
            row.cells[name], fault = _read(cell)
            if fault:
                row.faults.append(Fault(fault, name, {"most": LONGEST_CELL} if fault == "long" else {}))
        elif cell.strip():
            raise Unreadable("column-unknown", columns=f"{line}:{place + 1}")
    return row


def _header(kind: str, first: Sequence[tuple[int, Sequence[str]]]) -> tuple[list[str], int]:
    for place, (_, cells) in enumerate(first):
        if (found := columns_of(kind, cells)) is not None:
            return found, place + 1
    missing = [each for each in COLUMNS[kind] if each.needed] or list(COLUMNS[kind][:3])
    raise Unreadable("no-header", columns="、".join(f"{each.zh} ({each.name})" for each in missing))


def _read(cell: str) -> tuple[str, str]:
    """A cell's text and what is wrong with it; the apostrophe of an export goes."""
    if len(cell) > LONGEST_CELL:
        return "", "long"
    if _CONTROL.search(cell):
        return "", "control"
    text = cell.strip()
    if text.startswith("'") and text[1:2] in _RUNS:
        return text[1:], ""
    if text.startswith("="):
        return "", "formula"
    if _ERRORS.fullmatch(text):
        return "", "error-value"
    return text, ""
