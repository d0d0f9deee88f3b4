"""A column is renamed in four steps: the revisions, and the versions of a tiny API that write and read it meanwhile.

`words` becomes `content`. Version 1 knows the old column alone; 2 writes both and reads the old; 3 writes both and
reads the new; 4 knows the new alone. Each stands beside the one before it and after it, and beside no other.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from sqlalchemy import text

from lianhu_kit.access import Access, permits
from lianhu_kit.api import Body, Session, VillageCode
from lianhu_kit.database import Database, enter_scope
from lianhu_kit.problems import NotFound

_HEAD = """from lianhu_kit.migrations import create_kit_tables, protect, run, without_transaction

revision, down_revision, branch_labels, depends_on = "{0}", {1!r}, None, None


"""
_TEXTS = {
    "0001": '''def upgrade():
    create_kit_tables("kit")
    run("""CREATE TABLE notes (
        id uuid PRIMARY KEY, tenant text COLLATE "C" NOT NULL, words text NOT NULL DEFAULT ''
    )""")
    protect("notes", "kit")
''',
    # 1. Expand: nobody is asked for the new column. An index is built beside the calls.
    "0002": """def upgrade():
    run("ALTER TABLE notes ADD COLUMN content text")
    with without_transaction():
        run("DROP INDEX CONCURRENTLY IF EXISTS notes_content")
        run("CREATE INDEX CONCURRENTLY notes_content ON notes (tenant, content)")
""",
    # 2. Filled by a worker, in between. Then it is held for new rows, and in a transaction of its own for all.
    "0003": """def upgrade():
    run("ALTER TABLE notes ADD CONSTRAINT notes_content_there CHECK (content IS NOT NULL) NOT VALID")
""",
    "0004": """def upgrade():
    run("ALTER TABLE notes VALIDATE CONSTRAINT notes_content_there")
""",
    # 4. Contract: a release after the one that reads the new column alone.
    "0005": """contracts = "0002"


def upgrade():
    run("ALTER TABLE notes DROP COLUMN words")
""",
}
_ENV = "from sqlalchemy import MetaData\nfrom lianhu_kit.upgrading import environment\n\nenvironment(MetaData())\n"
# Not only what is empty: version 1 may have changed a note after version 2 wrote both columns of it.
_FILL = """
WITH behind AS (
    SELECT id FROM notes WHERE content IS DISTINCT FROM words ORDER BY id LIMIT :batch FOR UPDATE SKIP LOCKED
)
UPDATE notes SET content = words FROM behind WHERE notes.id = behind.id
"""


def write_revisions(folder: Path, until: str) -> Path:
    """The migrations folder of a release: its revisions up to this one."""
    (folder / "versions").mkdir(parents=True, exist_ok=True)
    (folder / "env.py").write_text(_ENV)
    before = None
    for number, body in _TEXTS.items():
        if number <= until:
            (folder / "versions" / f"{number}_step.py").write_text(_HEAD.format(number, before) + body)
            before = number
    return folder


@dataclass(frozen=True)
class Version:
    """A release of the tiny API: the columns that it writes and the one that it reads."""

    number: int
    required_revision: str
    writes: tuple[str, ...]
    reads: str


VERSIONS = {
    1: Version(1, "0001", ("words",), "words"),
    2: Version(2, "0002", ("words", "content"), "words"),
    3: Version(3, "0004", ("words", "content"), "content"),
    4: Version(4, "0004", ("content",), "content"),
}
Clerk = Annotated[Access, permits("clerk")]


class Written(Body):
    """A note's text."""

    at: VillageCode
    words: str


def router(version: Version) -> APIRouter:
    """The API of a version; callers see no difference between them."""
    routes = APIRouter()
    columns = ", ".join(version.writes)
    values = ", ".join(":words" for _ in version.writes)
    changes = ", ".join(f"{name} = excluded.{name}" for name in version.writes)
    write = text(
        f"INSERT INTO notes (id, tenant, {columns}) VALUES (:id, :tenant, {values}) "
        f"ON CONFLICT (id) DO UPDATE SET {changes}"
    )
    read = text(f"SELECT {version.reads} FROM notes WHERE id = :id")

    @routes.put("/v1/notes/{note}")
    async def put(note: UUID, body: Written, access: Clerk, session: Session) -> dict[str, Any]:
        """Writes a note."""
        await enter_scope(session, access.covering(body.at).scope)
        await session.execute(write, {"id": note, "tenant": body.at, "words": body.words})
        return {"words": body.words}

    @routes.get("/v1/notes/{note}")
    async def get(note: UUID, at: str, access: Clerk, session: Session) -> dict[str, Any]:
        """Reads a note."""
        await enter_scope(session, access.covering(at).scope)
        found = (await session.execute(read, {"id": note})).one_or_none()
        if found is None:
            raise NotFound("There is no such note.")
        return {"words": found[0]}

    return routes


async def fill(database: Database, tenant: str, batch: int = 100) -> int:
    """Fills the new column of the rows that an older version wrote, some at a time; how many there were."""
    filled = 0
    while True:
        async with database.transaction() as session:
            await enter_scope(session, tenant)
            done: int = (await session.execute(text(_FILL), {"batch": batch})).rowcount  # type: ignore[attr-defined]
        filled += done
        if done < batch:
            return filled
