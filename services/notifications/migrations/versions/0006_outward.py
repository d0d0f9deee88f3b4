"""What leaves the house by phone or mail, what people chose of it, and when a village is quiet."""

from lianhu_kit.migrations import PERSON, protect, run

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_TABLES = """
ALTER TABLE org_units ADD COLUMN quiet_hours text[];
ALTER TABLE requests ADD COLUMN urgent boolean NOT NULL DEFAULT false;
ALTER TABLE preferences ADD COLUMN choices jsonb NOT NULL DEFAULT '{}';
CREATE TABLE sendings (
    id uuid PRIMARY KEY REFERENCES deliveries (id), tenant text COLLATE "C" NOT NULL, person uuid NOT NULL,
    channel text NOT NULL, locale text NOT NULL, title text NOT NULL, body text NOT NULL, traceparent text NOT NULL,
    created_at timestamptz NOT NULL, send_at timestamptz NOT NULL, tries smallint NOT NULL DEFAULT 0,
    lease_until timestamptz, handing_at timestamptz
);
CREATE INDEX sendings_ripe ON sendings (channel, send_at);
"""
# A person's own log reaches over villages. A second policy for the API would be read with OR, which no index serves.
_OWN = f"""
CREATE POLICY own ON deliveries FOR SELECT TO notifications_owner USING (person = {PERSON});
CREATE FUNCTION brought_to_me(before uuid, at_most integer) RETURNS SETOF deliveries
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT * FROM deliveries
    WHERE person = {PERSON} AND channel IN ('phone', 'mail') AND (before IS NULL OR id < before)
    ORDER BY id DESC LIMIT at_most
$$;
REVOKE ALL ON FUNCTION brought_to_me(uuid, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION brought_to_me(uuid, integer) TO notifications_api;
"""


def upgrade() -> None:
    """The worker alone reads and writes words on their way; a person sees what was brought to them, in any village."""
    run(_TABLES)
    run(_OWN)
    protect("sendings", "notifications", api="", worker="SELECT, INSERT, UPDATE, DELETE", worker_everywhere=True)
