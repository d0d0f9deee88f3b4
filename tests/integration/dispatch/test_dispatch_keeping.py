"""What is kept and from whom: row-level security, tables as declared, bad input, counts."""

from typing import Any

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from dispatch_service.tables import Table
from lianhu_kit.database import Database, enter_scope
from lianhu_kit.identifiers import new_id
from support.catalogue import faults_of_row_security

Village = Any
Stage = Any
TENANT_TABLES = ("requests", "assignments", "offers", "holdings", "moves", "volunteers", "households")


async def test_every_table_is_under_forced_row_level_security(stage: Stage) -> None:
    assert await faults_of_row_security(stage.urls.owner, "dispatch") == []


async def test_the_migrated_database_is_what_the_tables_declare(stage: Stage) -> None:
    engine = create_async_engine(stage.urls.owner.replace("postgresql://", "postgresql+asyncpg://"))

    def compare(connection: Any) -> list[Any]:
        options = {"include_object": lambda item, name, kind, reflected, other: not (reflected and other is None)}
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), Table.metadata))

    async with engine.connect() as connection:
        assert await connection.run_sync(compare) == []
    await engine.dispose()


async def test_no_scope_no_rows_and_a_pooled_connection_forgets_its_own(stage: Stage, here: Village) -> None:
    other = await type(here)(stage).told()
    for village in (here, other):
        one = await village.person()
        await village.household(one)
        request = await village.offered(one)
        await village.act(one, request, "claim")
        await village.act(new_id(), request, "remind", role="clerk")
    database = Database(stage.urls.api, application_name="isolation", pool_size=1)
    try:
        for scope, seen in ((here.code, {here.code}), ("", set()), (other.code, {other.code}), (None, set())):
            async with database.transaction() as session:
                if scope is not None:
                    await enter_scope(session, scope)
                for table in TENANT_TABLES:
                    tenants = set((await session.execute(text(f"SELECT tenant FROM {table}"))).scalars())
                    assert tenants == seen, (table, scope)
    finally:
        await database.close()


async def test_the_api_may_not_write_into_another_village(stage: Stage, here: Village) -> None:
    one = await here.person()
    await here.offered(one)
    connection = await asyncpg.connect(stage.urls.api)
    try:
        async with connection.transaction():
            await connection.execute("SELECT set_config('lianhu.scope', '110101001001', true)")
            assert await connection.execute("UPDATE requests SET ended = 'withdrawn'") == "UPDATE 0"
            assert await connection.execute("UPDATE volunteers SET load = 9") == "UPDATE 0"
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("DELETE FROM moves")
    finally:
        await connection.close()


BAD = [
    ("complete", {}, "result"),
    ("complete", {"result": "  "}, "result"),
    ("complete", {"result": "字" * 2001}, "result"),
    ("complete", {"result": "a\x00b"}, "result"),
    ("complete", {"result": "好", "minutes": -1}, "minutes"),
    ("complete", {"result": "好", "minutes": 1441}, "minutes"),
    ("complete", {"result": "好", "served_person_times": 0}, "served_person_times"),
    ("complete", {"result": "好", "evidence": ["图"] * 11}, "evidence"),
    ("complete", {"result": "好", "unknown": 1}, "unknown"),
    ("release", {"reason": ""}, "reason"),
    ("release", {"reason": "x", "person": "somebody"}, "person"),
    ("check-in", {"at": "yesterday"}, "at"),
    ("check-in", {"at": "2026-03-01T08:00:00"}, "at"),
    ("decline", {"reason": "x" * 2001}, "reason"),
]


async def test_bad_input_is_refused_with_its_field_and_nothing_is_stored_or_published(here: Village) -> None:
    one = await here.person()
    request = await here.offered(one)
    await here.act(one, request, "claim")
    for move, body, field in BAD:
        answer = await here.act(one, request, move, body)
        assert answer.status_code == 422, (move, body, answer.text)
        fields = [error["field"] for error in answer.json()["errors"]]
        assert any(given == field or given.startswith(f"{field}.") for given in fields), (move, body, fields)
    clerk = here.as_(new_id(), "clerk")
    for params in (
        {"after": "nonsense"}, {"limit": "0"}, {"limit": "201"}, {"state": "unheard"}, {"mine": "all"},
        {"tenant": "12345"}, {"request": "x"},
    ):  # fmt: skip
        answer = await here.stage.call("GET", "assignments", clerk, **params)
        assert answer.status_code == 422, params
    assert (await here.stage.call("GET", "assignments/nonsense", clerk)).status_code == 422
    assert (await here.stage.call("GET", f"assignments/{new_id()}", clerk)).status_code == 404
    assert (await here.stage.call("GET", "assignments", clerk, tenant="110101001001")).status_code == 404
    await here.stage.until(request, "routed", "offered", "claimed")
    assert await here.stage.rows("SELECT * FROM moves WHERE tenant = :tenant", tenant=here.code) == []


async def test_rare_characters_and_text_from_right_to_left_are_kept_whole(here: Village) -> None:
    one = await here.person()
    request = await here.offered(one)
    await here.act(one, request, "claim")
    result = "𠮷野家 שלום 👩‍👩‍👧 مرحبا\n第二行"
    assert (await here.act(one, request, "complete", {"result": result})).status_code == 200
    assignment = here.stage.events(request)[0].data["assignment_id"]
    seen = await here.stage.call("GET", f"assignments/{assignment}", here.as_(new_id(), "clerk"))
    assert seen.json()["holders"][0]["result"] == result


async def test_counts_are_of_each_requests_latest_assignment(here: Village) -> None:
    one = await here.person()
    done, waiting, again = [await here.offered(one) for _ in range(3)]
    for move in ("claim", "complete"):
        await here.act(one, done, move, {"result": "好了"} if move == "complete" else None)
    await here.request(id=again, round=2)
    await here.stage.until(again, "routed", "offered", "cancelled", "routed", "offered")
    await here.move(waiting, "withdrawn", "withdrawn")
    await here.stage.until_last(waiting, "cancelled")
    clerk = here.as_(new_id(), "clerk")

    async def counted(**params: str) -> Any:
        answer = await here.stage.call("GET", "counts", clerk, org=here.code, **params)
        assert answer.status_code == 200, answer.text
        return answer.json()["by_status"]

    everything = {"completed": 1, "cancelled": 1, "offered": 1}
    assert await counted() == everything
    today = (await here.stage.rows("SELECT (clock_timestamp() AT TIME ZONE 'Asia/Shanghai')::date AS day"))[0].day
    assert await counted(**{"from": str(today), "to": str(today)}) == everything
    assert await counted(to="2020-01-01") == {}
    assert await counted(**{"from": "2020-01-01T00:00:00Z", "to": "2020-01-02T00:00:00+08:00"}) == {}
    for params in ({"from": "yesterday"}, {"to": "2020-01-01T00:00:00"}):
        assert (await here.stage.call("GET", "counts", clerk, org=here.code, **params)).status_code == 422
    assert (await here.stage.call("GET", "counts", clerk, org="110101001001")).status_code == 404
    assert (await here.stage.call("GET", "counts", here.as_(one), org=here.code)).status_code == 403


async def test_a_list_is_paged_to_its_end_without_doubles(here: Village) -> None:
    one = await here.person(capacity=50)
    requests = [await here.offered(one) for _ in range(5)]
    clerk, found = here.as_(new_id(), "clerk"), []
    after: dict[str, str] = {}
    while True:
        page = (await here.stage.call("GET", "assignments", clerk, tenant=here.code, limit="2", **after)).json()
        found += [item["request_id"] for item in page["items"]]
        if "next" not in page:
            break
        after = {"after": page["next"]}
    assert found == requests[::-1]
    leader = here.as_(new_id(), "grid_leader", here.code + "002")
    assert (await here.stage.call("GET", "assignments", leader)).json()["items"] == []
    own = here.as_(new_id(), "grid_leader", here.grid)
    assert len((await here.stage.call("GET", "assignments", own, tenant=here.code)).json()["items"]) == 5
    for mine in ("offered", "held"):
        assert (await here.stage.call("GET", "assignments", clerk, mine=mine)).json() == {"items": []}
    assert (await here.stage.call("GET", "assignments", clerk, grid="110101001001001")).status_code == 404
