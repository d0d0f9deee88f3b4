"""Erasing a person: one function that alone may empty what the API may otherwise only add to."""

from lianhu_kit.migrations import SCOPE, run

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# The story and the contacts of an order are not the API's to change; and orders may lie in villages beyond its scope.
ERASE = f"""
CREATE POLICY eraser ON requests FOR UPDATE TO requests_owner USING (true) WITH CHECK (true);
CREATE POLICY eraser ON contacts TO requests_owner USING (true) WITH CHECK (true);
CREATE POLICY eraser ON steps TO requests_owner USING (true) WITH CHECK (true);
CREATE POLICY eraser ON grades TO requests_owner USING (true) WITH CHECK (true);
CREATE POLICY eraser ON holders TO requests_owner USING (true) WITH CHECK (true);
CREATE POLICY eraser ON people TO requests_owner USING (true) WITH CHECK (true);
CREATE POLICY eraser ON person_roles TO requests_owner USING (true) WITH CHECK (true);
CREATE POLICY eraser ON volunteers TO requests_owner USING (true) WITH CHECK (true);
CREATE FUNCTION erase_person(who uuid, called text) RETURNS TABLE (open_orders bigint, held bigint, emptied bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE orders uuid[];
BEGIN
    PERFORM 1 FROM people WHERE id = who AND tenant >= {SCOPE} AND tenant < {SCOPE} || ':';
    IF NOT FOUND THEN
        RAISE EXCEPTION 'nobody of this id in the scope' USING ERRCODE = '42501';
    END IF;
    SELECT array_agg(id) INTO orders FROM (SELECT id FROM requests WHERE resident = who ORDER BY id FOR UPDATE) AS own;
    SELECT count(*) INTO open_orders FROM requests WHERE id = ANY(orders) AND status NOT IN
        ('closed_confirmed', 'closed_unconfirmed', 'rejected', 'merged', 'withdrawn', 'transferred');
    SELECT count(*) INTO held FROM holders WHERE person = who AND state = 'held';
    emptied := coalesce(cardinality(orders), 0);
    IF open_orders > 0 OR held > 0 THEN
        RETURN NEXT;
        RETURN;
    END IF;
    UPDATE contacts SET name = NULL, phone = NULL, relation = NULL, reach = NULL, address = NULL, served_name = NULL,
        guardian_name = NULL, guardian_phone = NULL WHERE request_id = ANY(orders);
    UPDATE requests SET text = '', answers = '{{}}', summary = NULL WHERE id = ANY(orders);
    UPDATE steps SET details = '{{}}' WHERE request_id = ANY(orders);
    UPDATE grades SET comment = NULL WHERE request_id = ANY(orders);
    UPDATE holders SET name = NULL WHERE person = who;
    DELETE FROM person_roles WHERE person = who;
    UPDATE volunteers SET grid = NULL, skills = ARRAY[]::text[], away_until = NULL, checked_until = NULL
        WHERE person = who;
    UPDATE people SET name = called, phone = NULL, locale = NULL, active = false WHERE id = who;
    RETURN NEXT;
END $$;
REVOKE ALL ON FUNCTION erase_person(uuid, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION erase_person(uuid, text) TO requests_api;
"""


def upgrade() -> None:
    """The function and what it needs; the owner's role is nobody's at run time."""
    run(ERASE)
