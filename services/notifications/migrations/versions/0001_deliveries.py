"""Deliveries and inboxes, preferences, and copies of what other services tell."""

from lianhu_kit.migrations import PERSON, create_kit_tables, protect, run

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TABLES = """
CREATE TABLE org_units (code text COLLATE "C" PRIMARY KEY, name text NOT NULL, locale text);
CREATE TABLE services (
    tenant text COLLATE "C" NOT NULL, code text NOT NULL, name text NOT NULL, PRIMARY KEY (tenant, code)
);
CREATE TABLE person_roles (
    person uuid NOT NULL, role text NOT NULL, at text COLLATE "C" NOT NULL, PRIMARY KEY (person, role, at)
);
CREATE INDEX person_roles_place ON person_roles (at, role);
CREATE TABLE households (id uuid PRIMARY KEY, tenant text COLLATE "C" NOT NULL, linking_person uuid);
CREATE TABLE preferences (person uuid PRIMARY KEY, locale text NOT NULL, updated_at timestamptz NOT NULL);
CREATE TABLE requests (
    id uuid PRIMARY KEY, tenant text COLLATE "C" NOT NULL, number text NOT NULL, service text NOT NULL,
    grid text COLLATE "C", household uuid, resident uuid, reporter uuid, guardian boolean NOT NULL,
    minor boolean NOT NULL, status text NOT NULL, merged_into uuid, holders uuid[] NOT NULL
);
CREATE INDEX requests_merged ON requests (merged_into) WHERE merged_into IS NOT NULL;
CREATE TABLE deliveries (
    id uuid PRIMARY KEY, tenant text COLLATE "C" NOT NULL, grid text COLLATE "C", request_id uuid, number text,
    sequence smallint NOT NULL, purpose text NOT NULL, template text NOT NULL, channel text NOT NULL,
    audience text NOT NULL, person uuid, recipient text NOT NULL, about text NOT NULL, attempt smallint NOT NULL,
    state text NOT NULL, reason text, event_id text NOT NULL, caller uuid, words jsonb, outcome text, by uuid,
    created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL,
    CONSTRAINT deliveries_once UNIQUE (recipient, about, template, attempt)
);
CREATE INDEX deliveries_place ON deliveries (tenant, id);
CREATE INDEX deliveries_request ON deliveries (request_id, id);
CREATE INDEX deliveries_calls ON deliveries (tenant, id) WHERE channel = 'call' AND state = 'due';
CREATE INDEX deliveries_caller ON deliveries (caller, id) WHERE caller IS NOT NULL;
CREATE TABLE messages (
    id uuid PRIMARY KEY REFERENCES deliveries (id), person uuid NOT NULL, tenant text COLLATE "C" NOT NULL,
    request_id uuid, number text, purpose text NOT NULL, template text NOT NULL, locale text NOT NULL,
    title text NOT NULL, body text NOT NULL, created_at timestamptz NOT NULL, read_at timestamptz
);
CREATE INDEX messages_person ON messages (person, id);
CREATE INDEX messages_unread ON messages (person) WHERE read_at IS NULL;
"""
_COPY = "SELECT, INSERT, UPDATE, DELETE"


def upgrade() -> None:
    """Everything this service stores; an inbox opens to its person only."""
    create_kit_tables("notifications")
    run(_TABLES)
    # Copies of the directory: the worker alone reads and writes them, for events of every village.
    for table, column in (
        ("org_units", "code"),
        ("services", "tenant"),
        ("person_roles", "at"),
        ("households", "tenant"),
    ):
        protect(table, "notifications", column=column, api="", worker=_COPY, worker_everywhere=True)
    # The API locks a request before it records the outcome of a call: a lock needs the right to update.
    protect("requests", "notifications", api="SELECT, UPDATE")
    protect("deliveries", "notifications")
    own = f"person = {PERSON}"
    protect("messages", "notifications", api="SELECT, UPDATE", worker="SELECT, INSERT", using=own)
    protect("preferences", "notifications", column=None, worker="SELECT", using=own)
