"""What lies under a code, and lists within it: an index over (tenant, id) can follow each condition."""

from uuid import UUID

import pytest
from sqlalchemy import ColumnElement
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from lianhu_kit.ranges import after, before, newest_first, oldest_first, under

VILLAGE, TOWN = "990777000003", "990777000"
LAST = UUID(int=7)


class _Base(DeclarativeBase):
    """Tables of this test."""


class _Row(_Base):
    """A row somewhere."""

    __tablename__ = "t"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    tenant: Mapped[str]


def said(condition: ColumnElement[bool]) -> str:
    """The condition as SQL."""
    return str(condition.compile(compile_kwargs={"literal_binds": True})).replace(LAST.hex, "LAST")


@pytest.mark.parametrize(
    ("code", "condition"),
    [
        (VILLAGE, f"t.tenant = '{VILLAGE}'"),
        (TOWN, f"t.tenant >= '{TOWN}' AND t.tenant < '{TOWN}:'"),
        (VILLAGE + "001", f"t.tenant >= '{VILLAGE}001' AND t.tenant < '{VILLAGE}001:'"),
    ],
)
def test_a_village_is_an_equation_and_all_else_a_range(code: str, condition: str) -> None:
    assert said(under(_Row.tenant, code)) == condition


def test_a_villages_list_names_the_tenant_first() -> None:
    assert [str(part) for part in newest_first(_Row.tenant, _Row.id, VILLAGE)] == ["t.tenant DESC", "t.id DESC"]
    assert [str(part) for part in oldest_first(_Row.tenant, _Row.id, VILLAGE)] == ["t.tenant ASC", "t.id ASC"]
    assert said(before(_Row.tenant, _Row.id, VILLAGE, LAST)) == f"(t.tenant, t.id) < ('{VILLAGE}', 'LAST')"
    assert said(after(_Row.tenant, _Row.id, VILLAGE, LAST)) == f"(t.tenant, t.id) > ('{VILLAGE}', 'LAST')"


def test_a_wider_list_is_by_id_alone_since_tenants_mix() -> None:
    assert [str(part) for part in newest_first(_Row.tenant, _Row.id, TOWN)] == ["t.id DESC"]
    assert [str(part) for part in oldest_first(_Row.tenant, _Row.id, TOWN)] == ["t.id ASC"]
    assert said(before(_Row.tenant, _Row.id, TOWN, LAST)) == "t.id < 'LAST'"
    assert said(after(_Row.tenant, _Row.id, TOWN, LAST)) == "t.id > 'LAST'"
