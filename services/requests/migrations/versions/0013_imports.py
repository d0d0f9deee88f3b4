"""Lists that admins import: the file, what each line would do and did; what was taken away again; who exported what."""

from lianhu_kit.migrations import SCOPE, protect, run

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

TABLES = """
ALTER TABLE households ADD COLUMN code text;
CREATE TABLE imports (
    id uuid PRIMARY KEY, tenant text COLLATE "C" NOT NULL, at text COLLATE "C" NOT NULL, kind text NOT NULL,
    by uuid NOT NULL, state text NOT NULL, attempt uuid NOT NULL, beat_at timestamptz NOT NULL, lines integer NOT NULL,
    done integer NOT NULL, total integer NOT NULL, counts jsonb, skip_errors boolean NOT NULL, problem jsonb,
    obstacles jsonb NOT NULL, created_at timestamptz NOT NULL, applied_at timestamptz, undone_at timestamptz
);
CREATE INDEX imports_list ON imports (tenant, id);
CREATE TABLE import_files (
    import uuid PRIMARY KEY REFERENCES imports (id) ON DELETE CASCADE, tenant text COLLATE "C" NOT NULL,
    content bytea NOT NULL
);
ALTER TABLE import_files ALTER COLUMN content SET STORAGE EXTERNAL;
CREATE TABLE import_lines (
    import uuid NOT NULL REFERENCES imports (id) ON DELETE CASCADE, line integer NOT NULL,
    tenant text COLLATE "C" NOT NULL, status text NOT NULL, key text COLLATE "C" NOT NULL, faults jsonb NOT NULL,
    before jsonb, after jsonb, PRIMARY KEY (import, line)
);
CREATE INDEX import_lines_key ON import_lines (key);
CREATE INDEX import_lines_order ON import_lines (import, key COLLATE "C");
CREATE TABLE removed_entities (
    key text COLLATE "C" PRIMARY KEY, tenant text COLLATE "C" NOT NULL, sequence integer NOT NULL
);
CREATE TABLE exports (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, tenant text COLLATE "C" NOT NULL, kind text NOT NULL,
    by uuid NOT NULL, at timestamptz NOT NULL
);
CREATE TRIGGER exports_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON exports
    FOR EACH STATEMENT EXECUTE FUNCTION lianhu_record_stays();
"""

# A person's lines may lie in villages where they were before: erasing looks over all of them.
FORGET = """
CREATE POLICY eraser ON import_lines TO requests_owner USING (true) WITH CHECK (true);
CREATE FUNCTION forget_imported(who uuid) RETURNS void LANGUAGE sql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
    UPDATE import_lines SET before = NULL, after = NULL, status = 'erased' WHERE key = who::text
$$;
REVOKE ALL ON FUNCTION forget_imported(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION forget_imported(uuid) TO requests_api;
"""


def upgrade() -> None:
    """What an import made can be taken away again, in its own reach alone."""
    run(TABLES)
    for table in ("imports", "import_files", "import_lines"):
        protect(table, "requests", api="SELECT, INSERT, UPDATE, DELETE", worker="SELECT, DELETE")
    protect("removed_entities", "requests", worker="")
    protect("exports", "requests", api="SELECT, INSERT", worker="")
    run(FORGET)
    for table, column in (("people", "tenant"), ("org_units", "code")):
        reach = f"({column} >= {SCOPE} AND {column} < {SCOPE} || ':')"
        run(f"CREATE POLICY api_deletes ON {table} AS RESTRICTIVE FOR DELETE TO requests_api USING ({reach})")
    for table in ("people", "volunteers", "households", "org_units"):
        run(f"GRANT DELETE ON {table} TO requests_api")
