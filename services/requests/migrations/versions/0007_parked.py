"""Operators decide on parked events; what they decided and dropped is only added to."""

from lianhu_kit.migrations import decide_on_parked

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """What lianhu_kit.parked and lianhu_kit.verdicts need."""
    decide_on_parked("requests")
