"""What a timer brings names the event that armed it, or the call where no event did."""

from datetime import timedelta

from integration.kit.station import Station
from lianhu_kit.context import caused_by
from lianhu_kit.database import enter_scope
from lianhu_kit.identifiers import new_id
from lianhu_kit.outbox import OutgoingEvent, record
from lianhu_kit.timers import arm
from support import village

CAUSE = "SELECT causationid FROM timers WHERE aggregate = :a AND kind = :k"


async def test_the_event_recorded_last_for_the_same_cause_armed_it(station: Station) -> None:
    tenant, aggregate = village(), new_id()
    event = OutgoingEvent("lianhu.requests.v1", str(aggregate), 1, "lianhu.request.submitted.v1", "s", tenant, {})
    async with station.api.transaction() as session:
        due = await enter_scope(session, tenant) + timedelta(hours=1)
        with caused_by("first call", None):
            await arm(session, "before", aggregate, due, tenant=tenant)
            await record(session, [event])
            await arm(session, "after", aggregate, due, tenant=tenant)
        with caused_by("another cause", None):
            await arm(session, "other", aggregate, due, tenant=tenant)
    causes = {
        kind: (await station.rows(CAUSE, a=aggregate, k=kind))[0].causationid for kind in ("before", "after", "other")
    }
    assert causes == {"before": "first call", "after": str(event.id), "other": "another cause"}
