"""A person's mail address, where they want to be told by mail."""

from lianhu_kit.migrations import run

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A column; nobody has one yet."""
    run("ALTER TABLE people ADD COLUMN mail text")
