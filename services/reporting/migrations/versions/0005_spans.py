"""Sums of whole months and of all time, beside those of days."""

from lianhu_kit.migrations import protect, run

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# A month comes before the villages, so that a city's month is one stretch of the index. '-infinity' is all time.
_TABLE = """
CREATE TABLE span_tallies (
    generation integer NOT NULL, basis text COLLATE "C" NOT NULL, month date NOT NULL,
    tenant text COLLATE "C" NOT NULL, service text COLLATE "C" NOT NULL, measure text COLLATE "C" NOT NULL,
    value bigint NOT NULL, PRIMARY KEY (generation, basis, month, tenant, service, measure)
) WITH (fillfactor = 80);
"""


def upgrade() -> None:
    """Makes the table, empty: workers fill it from the days while those of the release before wait."""
    run(_TABLE)
    written = "SELECT, INSERT, UPDATE, DELETE"
    protect("span_tallies", "reporting", api="SELECT", worker=written, worker_everywhere=True)
