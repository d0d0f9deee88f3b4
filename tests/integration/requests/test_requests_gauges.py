"""The requests' gauges: how many are not over, by status, and how old the oldest is."""

from prometheus_client import REGISTRY
from sqlalchemy import text

from lianhu_kit.database import enter_scope
from requests_service.handlers.gauges import measure
from support.requests_rig import Place, Rig


def shown(name: str, status: str) -> float:
    """A gauge's value now."""
    found = REGISTRY.get_sample_value(name, {"service": "requests", "status": status})
    assert found is not None, f"{name} of {status} is not measured"
    return found


async def measured(rig: Rig) -> None:
    async with rig.worker.database.transaction() as session:
        await measure(session)


async def test_open_requests_are_counted_by_status_with_the_age_of_the_oldest(rig: Rig, place: Place) -> None:
    await measured(rig)
    before = shown("lianhu_requests_open", "submitted"), shown("lianhu_requests_open", "dispatched")
    placed = await rig.order(place)
    await rig.accepted(place)
    async with rig.worker.database.transaction() as session:
        await enter_scope(session, place.code)
        await session.execute(
            text("UPDATE requests SET submitted_at = '2001-01-01' WHERE id = :id"), {"id": placed["id"]}
        )
    await measured(rig)
    after = shown("lianhu_requests_open", "submitted"), shown("lianhu_requests_open", "dispatched")
    assert (after[0] - before[0], after[1] - before[1]) == (1, 1)
    assert shown("lianhu_requests_oldest_seconds", "submitted") > 20 * 365 * 86_400
