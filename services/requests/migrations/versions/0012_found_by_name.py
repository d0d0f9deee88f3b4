"""What a village is found by beside its name: its pinyin, and the initials of it."""

from lianhu_kit.migrations import run, without_transaction

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

STATEMENTS = (
    "ALTER TABLE org_units ADD COLUMN IF NOT EXISTS found_by text",
    "DROP INDEX CONCURRENTLY IF EXISTS org_units_villages",
    "CREATE INDEX CONCURRENTLY org_units_villages ON org_units (code) WHERE level = 'village'",
)


def upgrade() -> None:
    """A column, empty until a unit is written next: until then it is found by its name alone."""
    with without_transaction():
        for statement in STATEMENTS:
            run(statement)
