"""A request's clock can stand still, and a limit be made longer once; what was asked of the next level waits here."""

from lianhu_kit.migrations import run

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

COLUMNS = """
ALTER TABLE requests
    ADD COLUMN suspended_at timestamptz,
    ADD COLUMN suspended_until timestamptz,
    ADD COLUMN extended_at timestamptz,
    ADD COLUMN asked text,
    ADD COLUMN asked_until timestamptz,
    ADD COLUMN asked_by uuid;
"""


def upgrade() -> None:
    """Columns alone, empty for every request there is."""
    run(COLUMNS)
