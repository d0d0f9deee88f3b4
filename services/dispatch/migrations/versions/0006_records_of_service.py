"""An index over what somebody has done: their record of service, month by month."""

from lianhu_kit.migrations import run, without_transaction

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

STATEMENTS = (
    "DROP INDEX CONCURRENTLY IF EXISTS holdings_done",
    "CREATE INDEX CONCURRENTLY holdings_done ON holdings (person, completed_at) WHERE completed_at IS NOT NULL",
)


def upgrade() -> None:
    """While work goes on."""
    with without_transaction():
        for statement in STATEMENTS:
            run(statement)
