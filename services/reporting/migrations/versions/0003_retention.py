"""Old days of published events can be dropped, old inbox rows are found by their age, unsendable events set apart."""

from lianhu_kit.migrations import keep_by_age

revision = "0003"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """What lianhu_kit.retention and the relay need."""
    keep_by_age("reporting")
