"""People served in a span are counted without looking at their facts' rows."""

from lianhu_kit.migrations import run, without_transaction

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# The first lets a run that was ended begin anew. The index before has the same keys: nothing needs it any more.
_STEPS = (
    "DROP INDEX CONCURRENTLY IF EXISTS facts_people",
    """
    CREATE INDEX CONCURRENTLY facts_people ON facts (generation, tenant, submitted_on, served_on)
        INCLUDE (served_id, service, resident, reporter)
        WHERE served_on IS NOT NULL AND served_id IS NOT NULL
    """,
    "DROP INDEX CONCURRENTLY IF EXISTS facts_served",
)


def upgrade() -> None:
    """Makes an index with all that is counted and that the policy asks, in place of one without."""
    with without_transaction():
        for step in _STEPS:
            run(step)
