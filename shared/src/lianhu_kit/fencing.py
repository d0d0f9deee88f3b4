"""Keys whose topic is ahead of a restored database: what would publish for them is refused until an operator lifts it.

A row that came back from an older backup would hand out sequence numbers that its topic has had already, and every
reader would drop what they say as duplicates. The trigger is off until a restore finds such keys: it costs nothing.
"""

from lianhu_kit.database import sqlstate
from lianhu_kit.migrations import protect, run
from lianhu_kit.problems import Conflict

STATE = "LH001"
_FENCES = f"""
CREATE TABLE fences (
    topic text NOT NULL, key text NOT NULL, tenant text COLLATE "C" NOT NULL, number text,
    held bigint NOT NULL, told bigint NOT NULL, last_type text NOT NULL, last_at timestamptz NOT NULL,
    since timestamptz NOT NULL DEFAULT clock_timestamp(), lifted_at timestamptz, lifted_because text,
    PRIMARY KEY (topic, key)
);
CREATE FUNCTION lianhu_fenced() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM fences WHERE topic = NEW.aggregatetype AND key = NEW.aggregateid AND lifted_at IS NULL) THEN
        RAISE EXCEPTION 'this key is fenced: its topic is ahead of the restored database' USING ERRCODE = '{STATE}';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER fenced BEFORE INSERT ON outbox FOR EACH ROW EXECUTE FUNCTION lianhu_fenced();
ALTER TABLE outbox DISABLE TRIGGER fenced;
"""


def create_fences(service: str) -> None:
    """A migration's step: the table of fenced keys, and the trigger that heeds them once a restore turns it on."""
    run(_FENCES)
    # Whoever writes an event has to see its key's fence, whatever village the event before was told of.
    protect("fences", service, column=None, api="SELECT", worker="SELECT")


def is_fenced(error: BaseException) -> bool:
    """Whether the database refused an event because its key is fenced."""
    return sqlstate(error) == STATE


def fenced() -> Conflict:
    """What a caller hears of it."""
    return Conflict(
        "fenced",
        "This was brought back from a backup that is older than what others have been told of it. "
        "Nothing was changed. Tell the operator, who can release it.",
    )
