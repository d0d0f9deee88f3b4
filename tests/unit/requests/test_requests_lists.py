"""Lists from spreadsheets: what is read, what is wrong with it, and files that were made to hurt."""

import io
import time
import zipfile
from typing import Any

import openpyxl
import pytest

from requests_service.domain.imports import LinesWrong, NotNow, allowed, require
from requests_service.domain.list_faults import SENTENCES, Fault, Unreadable, sentence
from requests_service.domain.rolls import Draft, draft_of, mark_twice
from requests_service.domain.sheets import COLUMNS, KINDS, MOST_COLUMNS, MOST_LINES, Row, label, rows_of, safe
from requests_service.handlers.importing.reading import read_table

VILLAGE = "441702008205"


def book(*rows: tuple[Any, ...]) -> bytes:
    """An xlsx file."""
    made = openpyxl.Workbook()
    sheet = made.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def repacked(content: bytes, name: str, part: bytes) -> bytes:
    """The same archive with one part replaced."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for each in old.namelist():
            new.writestr(each, part if each == name else old.read(each))
        if name not in old.namelist():
            new.writestr(name, part)
    return out.getvalue()


def unreadable(content: bytes, kind: str = "people") -> str:
    """Why a file is no list."""
    with pytest.raises(Unreadable) as caught:
        list(rows_of(kind, read_table(content)))
    assert sentence(caught.value.fault.code, caught.value.fault.values, "en")
    return caught.value.fault.code


def draft(kind: str, at: str = VILLAGE, **cells: str) -> Draft:
    """What a line says."""
    return draft_of(kind, Row(2, cells, []), at)


def codes(given: Draft) -> set[tuple[str, str]]:
    """What is wrong with a line, by column."""
    return {(fault.column, fault.code) for fault in given.faults}


def test_a_workbooks_cells_are_read_as_people_see_them() -> None:
    made = book(
        ("名单",), ("姓名", "电话", "同时可接", "在用"), ("示例甲", 13900000001, 2.0, True), (None,), ("示例乙",)
    )
    rows = rows_of("people", read_table(made))
    assert [(row.line, row.cells) for row in rows] == [
        (3, {"name": "示例甲", "phone": "13900000001", "capacity": "2", "active": "yes"}),
        (5, {"name": "示例乙", "phone": "", "capacity": "", "active": ""}),
    ]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"\xd0\xcf\x11\xe0" + b"\0" * 600, "old-workbook"),
        (b"PK\x03\x04 and no archive", "not-a-list"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\xff\xff\xff", "encoding"),
        ("姓名,电话\n".encode(), "no-lines"),
        ("姓名,姓名\n甲,乙\n".encode(), "column-twice"),
        ("姓名,星座\n甲,乙\n".encode(), "column-unknown"),
        ("姓名,\n甲,多\n".encode(), "column-unknown"),  # a merged header names the first of its columns alone
        ("电话,角色\n1,2\n".encode(), "no-header"),
        (("姓名" + "," * MOST_COLUMNS + "x\n甲\n").encode(), "too-many-columns"),
        (("姓名\n" + "甲\n" * (MOST_LINES + 1)).encode(), "too-many-lines"),
    ],
)
def test_what_is_no_list_is_said(content: bytes, why: str) -> None:
    assert unreadable(content) == why


def test_a_merged_header_is_told_apart_from_a_list() -> None:
    made = openpyxl.Workbook()
    sheet = made.active
    assert sheet is not None
    sheet.append(("姓名", "电话"))
    sheet.append(("示例甲", "13900000001"))
    sheet.merge_cells("A1:B1")
    out = io.BytesIO()
    made.save(out)
    assert unreadable(out.getvalue()) == "column-unknown"


def test_a_workbook_that_unpacks_to_too_much_is_refused_unread() -> None:
    bomb = repacked(book(("姓名",)), "xl/media/picture.bin", b"\0" * (170 * 1024 * 1024))
    assert len(bomb) < 1024 * 1024
    began = time.monotonic()
    assert unreadable(bomb) == "too-big-inside"
    texts = repacked(book(("姓名",)), "xl/sharedStrings.xml", b" " * (50 * 1024 * 1024))
    assert unreadable(texts) == "too-big-inside"
    assert time.monotonic() - began < 5


def test_entities_and_what_a_sheet_says_of_its_size_are_not_trusted() -> None:
    laughs = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><x>&b;</x>'
    assert unreadable(repacked(book(("姓名",)), "xl/sharedStrings.xml", laughs)) == "not-a-list"
    made = book(("姓名",), ("示例甲",))
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml")
    huge = sheet.replace(b'<dimension ref="A1:A2"', b'<dimension ref="A1:XFD1048576"')
    assert huge != sheet
    began = time.monotonic()
    rows = rows_of("people", read_table(repacked(made, "xl/worksheets/sheet1.xml", huge)))
    assert [row.cells["name"] for row in rows] == ["示例甲"]
    far = sheet.replace(b'<row r="2"', b'<row r="1048576"').replace(b'r="A2"', b'r="A1048576"')
    assert far != sheet
    assert unreadable(repacked(made, "xl/worksheets/sheet1.xml", far)) == "too-many-lines"
    assert time.monotonic() - began < 20


def test_cells_that_cannot_be_kept_are_told_by_their_column() -> None:
    content = book(("姓名", "电话"), ("=SUM(A1)", "#REF!"), ("长" * 2001, "x"))
    first, second = rows_of("people", read_table(content))
    assert [(fault.column, fault.code) for fault in first.faults] == [("name", "formula"), ("phone", "error-value")]
    assert [(fault.column, fault.code) for fault in second.faults] == [("name", "long")]
    [nul] = rows_of("people", read_table("姓名\n甲\x00\n".encode()))
    assert [fault.code for fault in nul.faults] == ["control"]
    [huge] = rows_of("people", read_table(("姓名\n" + "甲" * 3_000_000 + "\n").encode()))
    assert [fault.code for fault in huge.faults] == ["long"]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "甲", "'quoted", ""])
def test_what_is_exported_is_no_formula_and_reads_back(text: str) -> None:
    assert not safe(text).startswith(("=", "+", "-", "@", "\t", "\r"))
    if text.strip() == text and text:
        [row] = rows_of("people", [(1, ["姓名"]), (2, [safe(text)])])
        assert (row.cells["name"], row.faults) == (text, [])


@pytest.mark.parametrize(
    ("kind", "cells", "wrong"),
    [
        ("units", {"code": "44170200820", "name": "x"}, ("code", "code")),
        ("units", {"code": "4.41702E+11", "name": "x"}, ("code", "code-rounded")),
        ("units", {"code": "110101001001", "name": "x"}, ("code", "outside")),
        ("units", {"code": "", "name": "x"}, ("code", "needed")),
        ("units", {"code": VILLAGE, "name": ""}, ("name", "needed")),
        ("groups", {"code": VILLAGE + "001", "name": "x"}, ("code", "code-digits")),
        ("households", {"code": ""}, ("code", "household-name")),
        ("households", {"code": "1", "grid": VILLAGE}, ("grid", "code-digits")),
        ("households", {"code": "1", "village": "441702008206"}, ("village", "outside")),
        ("households", {"code": "1", "id": "me"}, ("id", "id")),
        ("households", {"code": "1", "linking": "邻居"}, ("linking", "linking")),
        ("households", {"code": "1", "address": "a\nb"}, ("address", "one-line")),
        ("linking", {"household": "", "linking": ""}, ("household", "needed")),
        ("people", {"name": "甲", "phone": "12"}, ("phone", "phone")),
        ("people", {"name": "甲", "roles": "国王"}, ("roles", "role")),
        ("people", {"name": "甲", "roles": "村干部@4417"}, ("roles", "outside")),
        ("people", {"name": "甲", "roles": "service"}, ("roles", "role")),
        ("people", {"name": "甲", "capacity": "-1"}, ("capacity", "capacity")),
        ("people", {"name": "甲", "checked_until": "明年"}, ("checked_until", "day")),
        ("people", {"name": "甲", "active": "也许"}, ("active", "yes-or-no")),
        ("people", {"name": "长" * 101}, ("name", "long")),
    ],
)
def test_a_wrong_line_says_what_is_wrong_and_where(kind: str, cells: dict[str, str], wrong: tuple[str, str]) -> None:
    assert codes(draft(kind, **cells)) == {wrong}


def test_a_line_is_read_as_people_write_it() -> None:
    given = draft(
        "people", name="甲", phone="+86 139-0000-0001", roles="志愿者、网格员@441702008205001", skills="理发 水电;理发",
        capacity="５", checked_until="2026/03/31", active="否", grid=VILLAGE + "001",
    )  # fmt: skip
    assert given.faults == []
    assert given.given == {
        "id": None, "tenant": VILLAGE, "grid": VILLAGE + "001", "name": "甲", "phone": "13900000001",
        "roles": [{"role": "grid_worker", "at": VILLAGE + "001"}, {"role": "volunteer", "at": VILLAGE}],
        "skills": ["理发", "水电"], "capacity": 5, "checked_until": "2026-03-31", "active": False,
    }  # fmt: skip
    wide = draft("people", "4417", name="甲", grid=VILLAGE + "001")
    assert (wide.tenant, wide.faults) == (VILLAGE, [])
    assert codes(draft("people", "4417", name="甲")) == {("village", "needed")}
    assert codes(draft("households", "4417", code="1", village=VILLAGE, grid="441702008206001")) == {
        ("grid", "elsewhere")
    }


def test_the_same_line_twice_names_the_first() -> None:
    drafts = [draft("people", name="甲", phone="13900000001") for _ in range(2)]
    drafts[1].line = 9
    mark_twice(drafts)
    assert (drafts[0].faults, drafts[1].faults) == ([], [Fault("twice", values={"line": 2})])


def test_a_line_is_new_changed_the_same_or_wrong() -> None:
    given = draft("units", code=VILLAGE, name="村")
    given.after = {"name": "村"}
    assert given.status == "new"
    given.before = {"name": "寨"}
    assert given.status == "changed"
    given.before = {"name": "村"}
    assert given.status == "same"
    given.wrong("elsewhere")
    assert given.status == "wrong"


@pytest.mark.parametrize(
    ("state", "checked", "can"),
    [
        ("checking", False, ()),
        ("ready", True, ("check", "apply")),
        ("failed", False, ("check",)),
        ("failed", True, ("check", "apply")),
        ("applying", True, ()),
        ("applied", True, ("undo",)),
        ("undoing", True, ()),
        ("undone", True, ()),
    ],
)
def test_each_state_says_what_it_allows(state: str, checked: bool, can: tuple[str, ...]) -> None:
    assert allowed(state, checked=checked) == can
    for step in ("check", "apply", "undo"):
        if step not in can:
            with pytest.raises(NotNow):
                require(step, state, checked=checked, wrong=0, skip_errors=False)


def test_wrong_lines_stay_out_only_where_somebody_says_so() -> None:
    with pytest.raises(LinesWrong):
        require("apply", "ready", checked=True, wrong=1, skip_errors=False)
    require("apply", "ready", checked=True, wrong=1, skip_errors=True)


def test_every_fault_is_a_sentence_in_both_languages_and_every_column_has_two_names() -> None:
    assert all(english.endswith(".") and chinese.endswith("。") for english, chinese in SENTENCES.values())
    assert all(label(kind, column.name, "zh-CN") for kind in KINDS for column in COLUMNS[kind])
