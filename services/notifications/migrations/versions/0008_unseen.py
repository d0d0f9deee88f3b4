"""Requests that nobody of their village hears of."""

from lianhu_kit.migrations import run

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """False for every request there is."""
    run("ALTER TABLE requests ADD COLUMN unseen boolean NOT NULL DEFAULT false")
