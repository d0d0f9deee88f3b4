"""What was brought to a person is found by the person."""

from lianhu_kit.migrations import run, without_transaction

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

STATEMENTS = (
    "DROP INDEX CONCURRENTLY IF EXISTS deliveries_outward",
    "CREATE INDEX CONCURRENTLY deliveries_outward ON deliveries (person, id) WHERE channel IN ('phone', 'mail')",
)


def upgrade() -> None:
    """One index, made while the service works."""
    with without_transaction():
        for statement in STATEMENTS:
            run(statement)
