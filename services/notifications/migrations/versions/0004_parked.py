"""Operators decide on parked events; what they decided and dropped is only added to."""

from lianhu_kit.migrations import decide_on_parked

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """What lianhu_kit.parked and lianhu_kit.verdicts need."""
    decide_on_parked("notifications")
