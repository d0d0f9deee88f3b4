"""`make parked`: looks at parked events and decides on them, on the machine itself and as the cluster's superuser."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from sqlalchemy.exc import DBAPIError
from sqlmodel.ext.asyncio.session import AsyncSession

from lianhu_kit import parked
from lianhu_kit.database import Database
from lianhu_kit.parked_calls import ParkedWhole, whole_of
from lianhu_tools.faults import Fault
from lianhu_tools.local.system import cluster_of
from lianhu_tools.stores.server import SUPERUSER
from lianhu_tools.topology import Topology

# Who decided, in the record: nobody shows a token to a machine that they are on.
BY = "local operator"
WAIT_SECONDS, PAUSE_SECONDS = 20.0, 0.5
LONGEST = 2000
Answer = TypeVar("Answer")


def chosen(retry: str, drop: str) -> tuple[parked.Verdict, str] | None:
    """What was asked for, and why; None where nothing was. Raises Fault where it cannot be recorded so."""
    if retry and drop:
        raise Fault("Say either retry= or drop=, with the reason.")
    reason = (retry or drop).strip()
    if not reason:
        if retry or drop:
            raise Fault("Say why, as in drop='sent twice by a test': it is kept with the decision.")
        return None
    if len(reason) > LONGEST:
        raise Fault(f"Say it in at most {LONGEST} characters.")
    return ("retry" if retry else "drop", reason)


async def show(topology: Topology, service: str, parked_id: int) -> ParkedWhole:
    """Everything about an event that is or was parked. Raises Fault where there is none, or its database is away."""
    return whole_of(await _inside(topology, service, lambda session: _found(session, service, parked_id)))


async def decide(
    topology: Topology, service: str, parked_id: int, verdict: parked.Verdict, reason: str
) -> list[parked.Shown]:
    """Decides, and waits until the worker has carried it out; answers what is parked of the event's key then.

    Raises Fault where nothing is parked under the id, where somebody decided otherwise, or where no worker comes to it.
    """

    async def record(session: AsyncSession) -> parked.Shown:
        try:
            made = await parked.decide(session, parked_id, verdict, reason, BY)
        except parked.AlreadyDecided as other:
            told = other.decision
            raise Fault(f"{told.by} decided already, at {told.at:%Y-%m-%d %H:%M:%S} UTC: {told.verdict}.") from None
        return made.shown if made is not None else (await _found(session, service, parked_id)).shown

    shown = await _inside(topology, service, record)
    for _ in range(round(WAIT_SECONDS / PAUSE_SECONDS)):
        if (await show(topology, service, parked_id)).state != "decided":
            break
        await asyncio.sleep(PAUSE_SECONDS)
    else:
        raise Fault(
            f"It is recorded; the worker of {service} has not come to it in {WAIT_SECONDS:.0f} s: see `make status`."
        )
    await asyncio.sleep(PAUSE_SECONDS)  # what fails at once is parked again by then
    return await _inside(topology, service, lambda session: parked.newest(session, topic=shown.topic, key=shown.key))


async def _found(session: AsyncSession, service: str, parked_id: int) -> parked.Whole:
    found = await parked.whole(session, parked_id)
    if found is None:
        raise Fault(f"Nothing is parked in {service} under id {parked_id}; see `make parked`.")
    return found


async def _inside(topology: Topology, service: str, work: Callable[[AsyncSession], Awaitable[Answer]]) -> Answer:
    """Runs work in a transaction of a service's database. Raises Fault when it is away."""
    database = Database(cluster_of(topology).url(SUPERUSER, service), application_name="lianhu parked", pool_size=1)
    try:
        async with database.transaction() as session:
            return await work(session)
    except (OSError, TimeoutError, DBAPIError) as error:
        raise Fault(f"The database of {service} is away ({type(error).__name__}); see `make status`.") from error
    finally:
        await database.close()
