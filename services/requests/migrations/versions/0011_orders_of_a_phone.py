"""An index by which a phone that was proven finds its orders."""

from lianhu_kit.migrations import run, without_transaction

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

STATEMENTS = (
    "DROP INDEX CONCURRENTLY IF EXISTS contacts_phone",
    "CREATE INDEX CONCURRENTLY contacts_phone ON contacts (phone) WHERE phone IS NOT NULL",
)


def upgrade() -> None:
    """While orders go on being placed."""
    with without_transaction():
        for statement in STATEMENTS:
            run(statement)
