"""Requests with their contacts, story and grades; people; the directory."""

from lianhu_kit.migrations import PERSON, SCOPE, create_kit_tables, protect, run

revision = "0001"
down_revision = None

SERVICE = "requests"

TABLES = """
CREATE TABLE org_units (
    code text COLLATE "C" PRIMARY KEY, level text NOT NULL, name text NOT NULL, settings jsonb NOT NULL,
    sequence integer NOT NULL
);
CREATE TABLE services (
    tenant text COLLATE "C" NOT NULL, code varchar NOT NULL, name text NOT NULL, name_en text,
    description text NOT NULL, kind text NOT NULL, questions jsonb NOT NULL, limits jsonb NOT NULL,
    guardian_consent boolean NOT NULL, route_default text NOT NULL, skill text, places_default integer NOT NULL,
    position integer NOT NULL, active boolean NOT NULL, sequence integer NOT NULL,
    PRIMARY KEY (tenant, code)
);
CREATE TABLE people (
    id uuid PRIMARY KEY, tenant text COLLATE "C" NOT NULL, name text NOT NULL, phone text, locale text,
    active boolean NOT NULL, sequence integer NOT NULL, created_at timestamptz NOT NULL
);
CREATE INDEX people_phone ON people (phone, tenant);
CREATE INDEX people_tenant ON people (tenant, id);
CREATE TABLE person_roles (
    person uuid NOT NULL REFERENCES people (id), role varchar NOT NULL, at text COLLATE "C" NOT NULL,
    tenant text COLLATE "C" NOT NULL, PRIMARY KEY (person, role, at)
);
CREATE TABLE volunteers (
    person uuid PRIMARY KEY REFERENCES people (id), tenant text COLLATE "C" NOT NULL, grid text COLLATE "C",
    skills text[] NOT NULL, capacity integer NOT NULL, away_until timestamptz, checked_until date
);
CREATE TABLE households (
    id uuid PRIMARY KEY, tenant text COLLATE "C" NOT NULL, grid text COLLATE "C", group_code text COLLATE "C",
    address text, linking_person uuid, sequence integer NOT NULL
);
CREATE INDEX households_linking ON households (linking_person);
CREATE TABLE requests (
    id uuid PRIMARY KEY, tenant text COLLATE "C" NOT NULL, number text NOT NULL, tracking_code text NOT NULL,
    sequence integer NOT NULL, version integer NOT NULL, status text NOT NULL, service text NOT NULL,
    kind text NOT NULL, skill text, places integer NOT NULL, route text, round integer NOT NULL,
    grid text COLLATE "C", household uuid, text text NOT NULL, answers jsonb NOT NULL, summary text,
    channel text NOT NULL, notice text, public boolean NOT NULL, urgent boolean NOT NULL,
    served_kind text NOT NULL, served_id uuid, guardian boolean NOT NULL, reporter uuid, resident uuid,
    accepted_by uuid, wanted_from timestamptz, wanted_to timestamptz, contact_due timestamptz,
    contact_promised timestamptz, contacted_at timestamptz, finish_due timestamptz, finish_promised timestamptz,
    confirm_seconds integer NOT NULL, confirm_due timestamptz, confirm_passed boolean NOT NULL,
    tries integer NOT NULL, reopened integer NOT NULL, solved text, first_grade integer, last_grade integer,
    merged_into uuid, submitted_at timestamptz NOT NULL, completed_at timestamptz, closed_at timestamptz,
    CONSTRAINT requests_number UNIQUE (tenant, number)
) WITH (fillfactor = 85);
CREATE INDEX requests_list ON requests (tenant, id);
CREATE INDEX requests_status ON requests (tenant, status, id);
CREATE INDEX requests_household ON requests (household) WHERE household IS NOT NULL;
CREATE INDEX requests_service ON requests (tenant, service, submitted_at);
CREATE INDEX requests_reporter ON requests (reporter) WHERE reporter IS NOT NULL;
CREATE INDEX requests_resident ON requests (resident) WHERE resident IS NOT NULL;
CREATE TABLE contacts (
    request_id uuid PRIMARY KEY REFERENCES requests (id), tenant text COLLATE "C" NOT NULL, name text, phone text,
    relation text, reach text, address text, served_name text, guardian_name text, guardian_phone text,
    guardian_consent_at timestamptz
);
CREATE TABLE steps (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, request_id uuid NOT NULL REFERENCES requests (id),
    tenant text COLLATE "C" NOT NULL, service text NOT NULL, step text NOT NULL, at timestamptz NOT NULL, by uuid,
    details jsonb NOT NULL
);
CREATE INDEX steps_request ON steps (request_id, position);
CREATE TABLE holders (
    request_id uuid NOT NULL REFERENCES requests (id), round integer NOT NULL, person uuid NOT NULL,
    tenant text COLLATE "C" NOT NULL, name text, state text NOT NULL, since timestamptz NOT NULL,
    PRIMARY KEY (request_id, round, person)
);
CREATE TABLE grades (
    request_id uuid NOT NULL REFERENCES requests (id), nth integer NOT NULL, tenant text COLLATE "C" NOT NULL,
    solved text NOT NULL, grade integer NOT NULL, source text NOT NULL, comment text, by uuid,
    at timestamptz NOT NULL, PRIMARY KEY (request_id, nth)
);
CREATE TABLE contact_reads (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, request_id uuid NOT NULL REFERENCES requests (id),
    tenant text COLLATE "C" NOT NULL, person uuid NOT NULL, role text NOT NULL, at timestamptz NOT NULL
);
CREATE INDEX contact_reads_request ON contact_reads (request_id);
CREATE TABLE served_people (
    tenant text COLLATE "C" NOT NULL, fingerprint bytea NOT NULL, id uuid NOT NULL,
    PRIMARY KEY (tenant, fingerprint)
);
"""

# Rights do not reach far enough: the owner has them all. Nobody changes what was read, the owner neither.
AUDIT = """
CREATE FUNCTION contact_reads_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'contact_reads is an audit log: rows are added, never changed or removed';
END $$;
CREATE TRIGGER contact_reads_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON contact_reads
    FOR EACH STATEMENT EXECUTE FUNCTION contact_reads_stay();
"""

# A resident's own orders can lie in any village: these two functions alone look beyond the scope; they tell villages.
OWN = """
CREATE POLICY definer ON requests FOR SELECT TO requests_owner USING (true);
CREATE FUNCTION village_of_own_request(wanted uuid, who uuid) RETURNS text LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = public, pg_temp AS $$
    SELECT tenant FROM requests WHERE id = wanted AND (reporter = who OR resident = who)
$$;
CREATE FUNCTION villages_of_person(who uuid) RETURNS SETOF text LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = public, pg_temp AS $$
    SELECT tenant FROM requests WHERE reporter = who UNION SELECT tenant FROM requests WHERE resident = who
$$;
REVOKE ALL ON FUNCTION village_of_own_request(uuid, uuid), villages_of_person(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION village_of_own_request(uuid, uuid), villages_of_person(uuid) TO requests_api;
"""


def upgrade() -> None:
    """Everything that the first release needs."""
    create_kit_tables(SERVICE)
    run(TABLES)
    protect("requests", SERVICE)
    protect("contacts", SERVICE, api="SELECT, INSERT", worker="")
    protect("steps", SERVICE, api="SELECT, INSERT", worker="SELECT, INSERT")
    protect("holders", SERVICE, api="SELECT")
    protect("grades", SERVICE, api="SELECT, INSERT", worker="")
    protect("contact_reads", SERVICE, api="SELECT, INSERT", worker="")
    protect("served_people", SERVICE, api="SELECT, INSERT, UPDATE", worker="")
    protect("households", SERVICE, worker="SELECT")
    protect("person_roles", SERVICE, api="SELECT, INSERT, DELETE", worker="")
    protect("volunteers", SERVICE, worker="")
    # Whoever orders in another village still finds their own record, to fill in name and phone.
    protect("people", SERVICE, using=f"{_within('tenant')} OR id = {PERSON}", worker="")
    _written_within("people", "tenant")
    # Everybody reads the directory, a village its ancestors' part among them; written is only what lies in reach.
    for table, column in (("org_units", "code"), ("services", "tenant")):
        protect(table, SERVICE, column=column, using="true", worker="SELECT", worker_everywhere=True)
        _written_within(table, column)
    run(AUDIT)
    run(OWN)


def _within(column: str) -> str:
    return f"({column} >= {SCOPE} AND {column} < {SCOPE} || ':')"


def _written_within(table: str, column: str) -> None:
    reach = _within(column)
    run(f"CREATE POLICY api_inserts ON {table} AS RESTRICTIVE FOR INSERT TO requests_api WITH CHECK ({reach})")
    run(f"CREATE POLICY api_updates ON {table} AS RESTRICTIVE FOR UPDATE TO requests_api USING ({reach})")
