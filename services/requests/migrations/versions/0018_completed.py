"""An index over what was completed, by village and time: a month's sample reads that month alone."""

from lianhu_kit.migrations import run, without_transaction

revision = "0018"
down_revision = "0015"
branch_labels = None
depends_on = None

STATEMENTS = (
    "DROP INDEX CONCURRENTLY IF EXISTS requests_completed",
    "CREATE INDEX CONCURRENTLY requests_completed ON requests (tenant, completed_at) WHERE completed_at IS NOT NULL",
)


def upgrade() -> None:
    """While work goes on."""
    with without_transaction():
        for statement in STATEMENTS:
            run(statement)
