"""A person's mail address, where they want to be told by mail."""

from lianhu_kit.migrations import PERSON, run

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

# People are written by admins under their code; this is the one thing that somebody changes of themselves.
MAIL = f"""
ALTER TABLE people ADD COLUMN mail text;
CREATE FUNCTION keep_my_mail(given text) RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH kept AS (UPDATE people SET mail = given WHERE id = {PERSON} AND active RETURNING id)
    SELECT EXISTS (SELECT FROM kept)
$$;
REVOKE ALL ON FUNCTION keep_my_mail(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION keep_my_mail(text) TO requests_api;
"""


def upgrade() -> None:
    """The column, and the function that lets a person set their own; nobody has an address yet."""
    run(MAIL)
