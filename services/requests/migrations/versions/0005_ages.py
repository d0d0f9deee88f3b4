"""An index over the requests that are not over: what the worker counts by status, without reading those that are."""

from lianhu_kit.migrations import run

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

AGES = """
CREATE INDEX requests_unfinished ON requests (tenant, status, submitted_at)
WHERE status IN ('submitted', 'awaiting_resident', 'accepted', 'dispatched', 'claimed', 'in_progress', 'referred',
                 'with_town', 'completed');
"""


def upgrade() -> None:
    """An index alone."""
    run(AGES)
