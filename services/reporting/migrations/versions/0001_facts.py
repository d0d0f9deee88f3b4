"""Facts, tallies, generations, and the names that reports show."""

from lianhu_kit.migrations import PERSON, SCOPE, create_kit_tables, protect, run

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TABLES = """
CREATE TABLE generations (
    generation integer PRIMARY KEY, state text NOT NULL, rules integer, zone text,
    began_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT generations_state CHECK (state IN ('building', 'active', 'old'))
);
CREATE UNIQUE INDEX generations_active ON generations (state) WHERE state = 'active';
INSERT INTO generations (generation, state) VALUES (1, 'active');
CREATE TABLE facts (
    generation integer NOT NULL, request_id uuid NOT NULL, tenant text COLLATE "C" NOT NULL,
    grid text COLLATE "C", service text COLLATE "C", number text, status text, submitted_at timestamptz,
    submitted_on date, served_id uuid, served_on date, resident uuid, reporter uuid,
    holders uuid[] NOT NULL DEFAULT '{}', helpers uuid[] NOT NULL DEFAULT '{}', assignment text,
    assignment_at timestamptz, overdue_from timestamptz, was_overdue tstzmultirange, counted_at timestamptz,
    halves jsonb NOT NULL, PRIMARY KEY (generation, request_id)
) WITH (fillfactor = 80);
CREATE INDEX facts_place ON facts (generation, tenant, submitted_on, status);
CREATE INDEX facts_assigned ON facts (generation, tenant, assignment_at, assignment);
CREATE INDEX facts_overdue ON facts (generation, tenant, overdue_from) WHERE overdue_from IS NOT NULL;
CREATE INDEX facts_late ON facts (generation, tenant) WHERE was_overdue IS NOT NULL;
CREATE INDEX facts_served ON facts (generation, tenant, submitted_on, served_on)
    WHERE served_on IS NOT NULL AND served_id IS NOT NULL;
CREATE TABLE tallies (
    generation integer NOT NULL, basis text COLLATE "C" NOT NULL, tenant text COLLATE "C" NOT NULL,
    day date NOT NULL, service text COLLATE "C" NOT NULL, grid text COLLATE "C" NOT NULL,
    measure text COLLATE "C" NOT NULL, value bigint NOT NULL,
    PRIMARY KEY (generation, basis, tenant, day, service, grid, measure)
) WITH (fillfactor = 80);
CREATE TABLE volunteer_tallies (
    generation integer NOT NULL, basis text COLLATE "C" NOT NULL, tenant text COLLATE "C" NOT NULL,
    day date NOT NULL, service text COLLATE "C" NOT NULL, grid text COLLATE "C" NOT NULL, person uuid NOT NULL,
    measure text COLLATE "C" NOT NULL, value bigint NOT NULL,
    PRIMARY KEY (generation, basis, tenant, day, service, grid, person, measure)
) WITH (fillfactor = 80);
CREATE TABLE org_units (
    generation integer NOT NULL, code text COLLATE "C" NOT NULL, name text NOT NULL, PRIMARY KEY (generation, code)
);
CREATE TABLE services (
    generation integer NOT NULL, tenant text COLLATE "C" NOT NULL, code text COLLATE "C" NOT NULL, name text NOT NULL,
    PRIMARY KEY (generation, tenant, code)
);
CREATE TABLE people (
    generation integer NOT NULL, id uuid NOT NULL, tenant text COLLATE "C" NOT NULL, name text NOT NULL,
    PRIMARY KEY (generation, id)
);
"""


def upgrade() -> None:
    """Makes everything that reporting stores. The API only reads; the worker projects for all villages at once."""
    create_kit_tables("reporting")
    run(_TABLES)
    written = "SELECT, INSERT, UPDATE, DELETE"
    # A resident reads the story of what they ordered, or of what is theirs, wherever it lies.
    own = f"(tenant >= {SCOPE} AND tenant < {SCOPE} || ':') OR {PERSON} IN (resident, reporter)"
    protect("facts", "reporting", api="SELECT", worker=written, using=own, worker_everywhere=True)
    for table in ("tallies", "volunteer_tallies"):
        protect(table, "reporting", api="SELECT", worker=written, worker_everywhere=True)
    for table in ("generations", "org_units", "services"):
        protect(table, "reporting", column=None, api="SELECT", worker=written)
    # A village sees who of the town or city above it took a step.
    above = f"(tenant >= {SCOPE} AND tenant < {SCOPE} || ':') OR starts_with({SCOPE}, tenant)"
    protect("people", "reporting", api="SELECT", worker=written, using=above, worker_everywhere=True)
