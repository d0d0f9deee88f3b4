"""Photos of orders: what residents and volunteers show, read by whoever may read the contact, gone with their time."""

from lianhu_kit.migrations import protect, run

revision = "0017"
down_revision = "0015"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE attachments (
    id uuid PRIMARY KEY, request_id uuid NOT NULL, tenant text COLLATE "C" NOT NULL, purpose text NOT NULL,
    media_type text NOT NULL, size integer NOT NULL, digest bytea NOT NULL, by uuid, at timestamptz NOT NULL,
    thumbnail bytea NOT NULL, content bytea NOT NULL, CONSTRAINT attachments_once UNIQUE (request_id, purpose, digest)
);
ALTER TABLE attachments ALTER COLUMN content SET STORAGE EXTERNAL;
"""

# The worker ends what is over and never looks at a picture.
WORKER = "GRANT SELECT (id, request_id, tenant), DELETE ON attachments TO requests_worker"

# Somebody's own orders may lie in villages beyond the scope: erasing looks over all of them.
FORGET = """
CREATE POLICY eraser ON attachments TO requests_owner USING (true) WITH CHECK (true);
CREATE FUNCTION forget_photos(who uuid) RETURNS void LANGUAGE sql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
    DELETE FROM attachments WHERE request_id IN (SELECT id FROM requests WHERE resident = who)
$$;
REVOKE ALL ON FUNCTION forget_photos(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION forget_photos(uuid) TO requests_api;
"""


def upgrade() -> None:
    """The table without a foreign key: its lock on `requests` would hold up orders, and no request is removed."""
    run(TABLES)
    protect("attachments", "requests", api="SELECT, INSERT, DELETE", worker="DELETE")
    run(WORKER)
    run(FORGET)
