"""Bulletins as they were issued: frozen, each later issue a revision beside the earlier ones."""

from lianhu_kit.migrations import protect, run

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE bulletins (
    org text COLLATE "C" NOT NULL, period text COLLATE "C" NOT NULL, revision integer NOT NULL,
    issued_at timestamptz NOT NULL, issued_by uuid NOT NULL, content jsonb NOT NULL, checksum text NOT NULL,
    PRIMARY KEY (org, period, revision)
);
"""


def upgrade() -> None:
    """Nobody may change or remove one: the API adds and reads."""
    run(TABLES)
    protect("bulletins", "reporting", column="org", api="SELECT, INSERT", worker="")
