"""What goes out on the notifications topic keeps its contract; and the database is what the tables say."""

from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from lianhu_kit.identifiers import new_id
from notifications_service.settings import Settings
from notifications_service.tables import Table
from support.contracts import check_stream
from support.personal import personal_data


async def test_published_events_keep_their_contract(notifications: Any) -> None:
    place = await notifications.place()
    resident, person = new_id(), new_id()
    reached, missed, dropped, told = (place.order() for _ in range(4))
    for order in (reached, missed, dropped):
        await notifications.bus.send(order.submitted(), order.completed())
        await notifications.told(order, "confirm-work")
    by_request = {call["request_id"]: call for call in await notifications.calls(place, state="due")}
    await notifications.outcome(place, by_request[str(reached.id)]["id"], "reached")
    answer = await notifications.outcome(place, by_request[str(missed.id)]["id"], "no_answer")
    await notifications.outcome(place, answer.json()["next_try"]["id"], "wrong_number", new_id())
    await notifications.bus.send(
        dropped.request("withdrawn", status="withdrawn"),
        told.submitted(resident=resident, guardian=True, minor=True),
        told.offered(person),
        told.claimed(person),
        told.completed(),
    )
    await notifications.told(told, "confirm-work", "guardian-visit")
    await notifications.told(missed, "call-wrong-number")
    await notifications.settled()
    events = check_stream(await notifications.published(place.code))
    story = {
        order.id: [
            (event.type.split(".")[2], event.data["template"], event.data.get("attempt"), event.data.get("reason"))
            for event in sorted(events, key=lambda event: (event.key, event.sequence))
            if event.data["request_id"] == str(order.id) and event.data["channel"] == "call"
        ]
        for order in (reached, missed, dropped)
    }
    assert story[reached.id] == [("due", "confirm-work", 1, None), ("sent", "confirm-work", 1, None)]
    assert story[missed.id] == [
        ("due", "confirm-work", 1, None),
        ("failed", "confirm-work", 1, "no-answer"),
        ("due", "confirm-work", 2, None),
        ("failed", "confirm-work", 2, "wrong-number"),
    ]
    assert story[dropped.id] == [("due", "confirm-work", 1, None), ("suppressed", "confirm-work", None, "superseded")]
    (sent,) = [event for event in events if event.type.endswith("sent.v1") and event.data["by"]]
    assert sent.data["by"] == str(place.clerk)
    messages = await notifications.rows(
        "SELECT title, body FROM messages WHERE tenant = :at", place.code, at=place.code
    )
    assert len(messages) > 5
    assert list(personal_data(messages)) == []


async def test_deliveries_and_topic_tell_the_same(notifications: Any) -> None:
    place = await notifications.place()
    order = place.order()
    people = [new_id() for _ in range(7)]
    await notifications.bus.send(order.submitted(), order.offered(*people))
    await notifications.told(order, "task-open")
    await notifications.settled()
    last = {event.key: event.type.split(".")[2] for event in check_stream(await notifications.published(place.code))}
    rows = await notifications.deliveries(order)
    assert last == {str(row["id"]): row["state"] for row in rows}
    assert len(rows) == 8


async def test_the_database_is_what_the_tables_say(notifications_settings: dict[str, Settings]) -> None:
    url = notifications_settings["worker"].database_url.replace("postgresql://", "postgresql+asyncpg://")
    own = set(Table.metadata.tables)

    def differences(connection: Connection) -> list[Any]:
        def ours(name: str | None, type_: str, _parents: Any) -> bool:
            return type_ != "table" or name in own

        context = MigrationContext.configure(connection, opts={"include_name": ours, "compare_type": True})
        return list(compare_metadata(context, Table.metadata))

    engine = create_async_engine(url)
    async with engine.connect() as connection:
        found = await connection.run_sync(differences)
    await engine.dispose()
    assert found == []
