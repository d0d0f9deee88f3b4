"""A village's own code finds a household, and no two of a village share one."""

from lianhu_kit.migrations import run, without_transaction

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

STATEMENTS = (
    "DROP INDEX CONCURRENTLY IF EXISTS households_code",
    "CREATE UNIQUE INDEX CONCURRENTLY households_code ON households (tenant, code)",
)


def upgrade() -> None:
    """While households go on being read."""
    with without_transaction():
        for statement in STATEMENTS:
            run(statement)
