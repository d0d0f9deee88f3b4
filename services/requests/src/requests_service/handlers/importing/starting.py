"""What admins ask of imports: a list comes in, is checked again, applied, taken back; then forgotten by age."""

from uuid import UUID

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from lianhu_kit.database import now
from lianhu_kit.identifiers import new_id
from lianhu_kit.timers import Timer, arm
from requests_service.domain.imports import ENDS, KEPT, RUNNING, SILENT, require
from requests_service.handlers.importing.work import Work
from requests_service.tables import Import

IMPORT_OVER = "import-over"
_FILE = text("INSERT INTO import_files (import, tenant, content) VALUES (:id, :tenant, :content)")
_FORGET = text("DELETE FROM imports WHERE id = :id")


async def take_in(session: AsyncSession, kind: str, at: str, by: UUID, content: bytes) -> Work:
    """Keeps a list that came in; its check is the first work on it."""
    clock, tenant = now(session), at[:12]
    taken = Import(
        id=new_id(), tenant=tenant, at=at, kind=kind, by=by, state=RUNNING["check"], attempt=new_id(), beat_at=clock,
        counts=None, problem=None, obstacles=[], created_at=clock,
    )  # fmt: skip
    session.add(taken)
    await session.flush()
    await session.execute(_FILE, {"id": taken.id, "tenant": tenant, "content": content})
    await arm(session, IMPORT_OVER, taken.id, clock + KEPT, tenant=tenant)
    return _work(taken, "check")


async def begin(session: AsyncSession, known: Import, step: str, *, skip_errors: bool = False) -> Work:
    """Begins a step of an import that is locked; NotNow or LinesWrong where it cannot."""
    counts = known.counts or {}
    checked = known.counts is not None and (known.problem or {}).get("code") != "moved-on"
    require(step, known.state, checked=checked, wrong=counts.get("wrong", 0), skip_errors=skip_errors)
    known.state, known.attempt, known.beat_at = RUNNING[step], new_id(), now(session)
    known.done, known.total, known.problem, known.obstacles = 0, 0, None, []
    if step == "apply":
        known.skip_errors = skip_errors
    await session.flush()
    return _work(known, step)


def _work(known: Import, step: str) -> Work:
    return Work(known.id, known.kind, known.at, known.by, known.attempt, step)


async def notice_silence(session: AsyncSession, known: Import) -> None:
    """Work whose process ended is given up here, by whoever looks; should it live after all, it cannot end any more."""
    running = {state: step for step, state in RUNNING.items()}
    if (step := running.get(known.state)) and known.beat_at + SILENT < now(session):
        known.state = ENDS[step][1]
        known.attempt = new_id()
        known.problem = {"code": "interrupted", "values": {}}
        await session.flush()


async def forget(session: AsyncSession, timer: Timer) -> None:
    """An import is forgotten with its lines: they hold names and phones. From then on it cannot be taken back."""
    await session.execute(_FORGET, {"id": timer.aggregate})
