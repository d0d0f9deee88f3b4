"""Sign-in: one-time codes, sessions of browsers, and what may look over villages before anybody is known."""

from lianhu_kit.migrations import protect, run

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE codes (
    id uuid PRIMARY KEY, subject bytea NOT NULL, code bytea NOT NULL, tries integer NOT NULL DEFAULT 0,
    sent_at timestamptz NOT NULL, expires_at timestamptz NOT NULL, used_at timestamptz
);
CREATE INDEX codes_subject ON codes (subject, sent_at);
CREATE INDEX codes_age ON codes (sent_at);
CREATE TABLE web_sessions (
    id uuid PRIMARY KEY, secret bytea NOT NULL UNIQUE, person uuid NOT NULL REFERENCES people (id),
    device text NOT NULL, seconds integer NOT NULL, begun_at timestamptz NOT NULL, seen_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL, ended_at timestamptz
);
CREATE INDEX web_sessions_person ON web_sessions (person, begun_at);
CREATE INDEX web_sessions_age ON web_sessions (expires_at);
CREATE TABLE local_codes (
    id uuid PRIMARY KEY, phone text NOT NULL, code text NOT NULL, sent_at timestamptz NOT NULL
);
"""

# Who signs in has no scope yet. These functions alone look over all villages: by a phone that was proven by a code, or
# for a session whose secret was shown.
LOOKING = """
CREATE FUNCTION person_of_phone(wanted text) RETURNS uuid LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = public, pg_temp AS $$
    SELECT id FROM people WHERE phone = wanted AND active
    ORDER BY EXISTS (SELECT FROM person_roles WHERE person = people.id AND role <> 'resident') DESC, created_at, id
    LIMIT 1
$$;
CREATE FUNCTION grants_of_person(who uuid) RETURNS TABLE (name text, locale text, roles jsonb)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT name, locale, (SELECT coalesce(jsonb_agg(jsonb_build_object('role', role, 'at', at) ORDER BY role, at), '[]')
                          FROM person_roles WHERE person = who)
    FROM people WHERE id = who AND active
$$;
CREATE FUNCTION resident_of_phone(wanted text, made uuid, at timestamptz) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE person uuid; place text; called text;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('resident ' || wanted, 0)); -- two devices at once are one person
    person := person_of_phone(wanted);
    IF person IS NULL THEN
        SELECT requests.tenant, contacts.name INTO place, called FROM contacts
        JOIN requests ON requests.id = contacts.request_id
        WHERE contacts.phone = wanted ORDER BY requests.submitted_at DESC LIMIT 1;
        IF NOT FOUND THEN
            RETURN NULL;
        END IF;
        INSERT INTO people (id, tenant, name, phone, active, sequence, created_at)
        VALUES (made, place, coalesce(called, ''), wanted, true, 0, at);
        person := made;
    END IF;
    UPDATE requests SET resident = person WHERE resident IS NULL
        AND id IN (SELECT request_id FROM contacts WHERE phone = wanted);
    RETURN person;
END $$;
REVOKE ALL ON FUNCTION person_of_phone(text), grants_of_person(uuid), resident_of_phone(text, uuid, timestamptz)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION person_of_phone(text), grants_of_person(uuid), resident_of_phone(text, uuid, timestamptz)
    TO requests_api;
"""


def upgrade() -> None:
    """No tenant's data: a phone is kept as a keyed hash, but for the codes of a developer's own machine."""
    run(TABLES)
    for table in ("codes", "web_sessions", "local_codes"):
        protect(table, "requests", column=None, api="SELECT, INSERT, UPDATE, DELETE", worker="")
    run(LOOKING)
