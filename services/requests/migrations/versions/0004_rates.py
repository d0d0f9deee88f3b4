"""How often an address did what needs no token: one row an address, shared by all replicas of the API."""

from lianhu_kit.migrations import protect, run

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# Unlogged: a crash empties it, which costs a few minutes of leniency and saves the log of every call.
RATES = """
CREATE UNLOGGED TABLE rates (
    what text NOT NULL, caller bytea NOT NULL, full_until timestamptz NOT NULL, PRIMARY KEY (what, caller)
) WITH (fillfactor = 70);
"""


def upgrade() -> None:
    """No tenant's data: an address is nobody's village, and is kept as a keyed hash alone."""
    run(RATES)
    protect("rates", "requests", column=None, api="SELECT, INSERT, UPDATE, DELETE", worker="")
