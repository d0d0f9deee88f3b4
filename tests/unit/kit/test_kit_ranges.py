"""What lies under a code: the village itself by equation, the villages of a wider unit by their range."""

from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from lianhu_kit.ranges import under

VILLAGE = "990777000003"


class _Base(DeclarativeBase):
    """Tables of this test."""


class _Row(_Base):
    """A row somewhere."""

    __tablename__ = "things"
    tenant: Mapped[str] = mapped_column(primary_key=True)


def said(code: str) -> str:
    """The condition as SQL."""
    made = under(_Row.tenant, code).compile(compile_kwargs={"literal_binds": True})
    return str(made)


def test_a_village_is_an_equation() -> None:
    assert said(VILLAGE) == f"things.tenant = '{VILLAGE}'"


def test_a_wider_unit_is_a_range() -> None:
    assert said(VILLAGE[:9]) == "things.tenant >= '990777000' AND things.tenant < '990777000:'"


def test_a_grid_is_a_range_of_what_is_filed_under_it() -> None:
    assert said(VILLAGE + "001") == f"things.tenant >= '{VILLAGE}001' AND things.tenant < '{VILLAGE}001:'"
