"""Requests, assignments, offers, holdings, moves, and the copies of the directory."""

from lianhu_kit.migrations import SCOPE, create_kit_tables, protect, run

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TABLES = """
CREATE TABLE requests (
    id uuid PRIMARY KEY, tenant text COLLATE "C" NOT NULL, number text NOT NULL, service text NOT NULL,
    kind text NOT NULL, summary text NOT NULL, round integer NOT NULL, sequence integer NOT NULL, ended text,
    opened_at timestamptz NOT NULL
);
CREATE TABLE assignments (
    id uuid PRIMARY KEY, request_id uuid NOT NULL REFERENCES requests (id), tenant text COLLATE "C" NOT NULL,
    round integer NOT NULL, grid text COLLATE "C", household uuid, service text NOT NULL, summary text NOT NULL,
    route text NOT NULL, staff uuid, skill text, urgent boolean NOT NULL, minor boolean NOT NULL,
    places integer NOT NULL, taken integer NOT NULL, state text NOT NULL, step text, wave integer NOT NULL,
    offered_until timestamptz, asked uuid, limits jsonb NOT NULL, excluded jsonb NOT NULL,
    opened_at timestamptz NOT NULL, ended_at timestamptz, awaits_until timestamptz, supervised_until timestamptz,
    CONSTRAINT assignments_places CHECK (taken >= 0 AND taken <= places)
);
CREATE UNIQUE INDEX assignments_round ON assignments (request_id, round);
CREATE INDEX assignments_list ON assignments (tenant, id);
CREATE INDEX assignments_open ON assignments (tenant)
    WHERE state IN ('routed', 'offered', 'assigned', 'claimed', 'in_progress');
CREATE INDEX assignments_awaiting ON assignments (staff) WHERE state = 'routed' AND staff IS NOT NULL;
CREATE TABLE offers (
    assignment_id uuid NOT NULL REFERENCES assignments (id), person uuid NOT NULL, tenant text COLLATE "C" NOT NULL,
    wave integer NOT NULL, why jsonb NOT NULL, offered_at timestamptz NOT NULL, declined_at timestamptz,
    PRIMARY KEY (assignment_id, person)
);
CREATE INDEX offers_mine ON offers (person, assignment_id) WHERE declined_at IS NULL;
CREATE TABLE holdings (
    assignment_id uuid NOT NULL REFERENCES assignments (id), person uuid NOT NULL, tenant text COLLATE "C" NOT NULL,
    name text NOT NULL, via text NOT NULL, claimed_at timestamptz NOT NULL, checked_in_at timestamptz,
    checked_out_at timestamptz, completed_at timestamptz, ended_at timestamptz, place text, minutes integer,
    served_person_times integer, result text, evidence jsonb NOT NULL, PRIMARY KEY (assignment_id, person)
);
CREATE INDEX holdings_open ON holdings (person) WHERE ended_at IS NULL AND completed_at IS NULL;
CREATE TABLE moves (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, assignment_id uuid NOT NULL REFERENCES assignments (id),
    tenant text COLLATE "C" NOT NULL, move text NOT NULL, by uuid, person uuid, words text, at timestamptz NOT NULL
);
CREATE INDEX moves_of ON moves (assignment_id, id);
CREATE TABLE org_units (code text COLLATE "C" PRIMARY KEY, parent text COLLATE "C", settings jsonb NOT NULL);
CREATE TABLE households (
    id uuid PRIMARY KEY, tenant text COLLATE "C" NOT NULL, grid text COLLATE "C", linking_person uuid,
    gone boolean NOT NULL
);
CREATE TABLE volunteers (
    id uuid PRIMARY KEY, tenant text COLLATE "C" NOT NULL, grid text COLLATE "C", name text NOT NULL,
    roles jsonb NOT NULL, staff boolean NOT NULL, skills jsonb NOT NULL, capacity integer NOT NULL,
    load integer NOT NULL, away_until timestamptz, checked_until date, linking_households jsonb NOT NULL,
    active boolean NOT NULL, profile_set_at timestamptz, CONSTRAINT volunteers_load CHECK (load >= 0)
);
CREATE INDEX volunteers_list ON volunteers (tenant, id);
"""


def upgrade() -> None:
    """Makes everything that dispatch stores; people of the town and above are seen from its villages."""
    create_kit_tables("dispatch")
    run(_TABLES)
    for table in ("requests", "assignments", "offers", "holdings"):
        protect(table, "dispatch")
    protect("moves", "dispatch", api="SELECT, INSERT", worker="SELECT, INSERT")
    protect("org_units", "dispatch", column=None, api="SELECT", worker="SELECT, INSERT, UPDATE, DELETE")
    protect("households", "dispatch", api="SELECT", worker_everywhere=True)
    above = f"(tenant >= {SCOPE} AND tenant < {SCOPE} || ':') OR starts_with({SCOPE}, tenant)"
    protect("volunteers", "dispatch", api="SELECT, UPDATE", using=above, worker_everywhere=True)
