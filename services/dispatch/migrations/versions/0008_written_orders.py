"""An index over what stands under a written order: the town's list of them, without reading what has none."""

from lianhu_kit.migrations import run, without_transaction

revision = "0008"
down_revision = "0006"
branch_labels = None
depends_on = None

STATEMENTS = (
    "DROP INDEX CONCURRENTLY IF EXISTS assignments_supervised",
    """
    CREATE INDEX CONCURRENTLY assignments_supervised ON assignments (tenant, supervised_until)
        WHERE supervised_until IS NOT NULL
    """,
)


def upgrade() -> None:
    """While work goes on."""
    with without_transaction():
        for statement in STATEMENTS:
            run(statement)
