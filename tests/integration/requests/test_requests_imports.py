"""Lists come in: looked at first, applied in one piece, taken back while nothing was changed since."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import asyncpg
import openpyxl
import pytest

from integration.requests.lists import Lists, scoped, table, workbook
from support import bearer
from support.conditions import eventually
from support.requests_rig import Place, Rig

CSV = {"content-type": "text/csv"}


@pytest.fixture
def lists(rig: Rig, place: Place) -> Lists:
    return Lists(rig, place.code)


async def test_people_are_looked_at_then_applied_then_published(rig: Rig, lists: Lists, place: Place) -> None:
    content = table(
        ("姓名", "电话", "角色", "网格代码", "技能", "同时可接"),
        ("示例甲", "139 0000 0101", "志愿者", place.grid, "理发；水电", "2"),
        ("示例乙", "", "", "", "", ""),
    )
    known = await lists.send("people", content)
    assert (known["state"], known["counts"]) == ("ready", {"new": 2, "changed": 0, "same": 0, "wrong": 0})
    people = await rig.client.get("/v1/exports/people.csv", headers=lists.admin)
    assert "示例甲" not in people.text  # a preview writes nothing
    known = await lists.ask(known, "apply")
    assert (known["state"], known["done"], known["total"], known["problem"]) == ("applied", 2, 2, None)
    [new, _] = await lists.lines(known, "new")
    assert new["changes"]["phone"] == {"before": None, "after": "13900000101"}
    exported = list(csv.DictReader(io.StringIO((await lists.export("people")).decode("utf-8-sig"))))
    [person] = [row for row in exported if row["姓名"] == "示例甲"]
    assert (person["角色"], person["技能"], person["同时可接"]) == (f"volunteer@{place.code}", "理发;水电", "2")
    [told] = await rig.data(person["编号"])
    assert (told["name"], told["grid"], told["skills"], told["capacity"]) == ("示*", place.grid, ["理发", "水电"], 2)
    again = await lists.send("people", content)
    assert again["counts"] == {"new": 0, "changed": 0, "same": 2, "wrong": 0}
    changed = await lists.send("people", table(("姓名", "电话", "技能"), ("示例甲", "13900000101", "理发")))
    assert changed["counts"]["changed"] == 1
    [line] = await lists.lines(changed, "changed")
    assert line["changes"]["volunteer"]["after"]["skills"] == ["理发"]
    await lists.ask(changed, "apply")
    last = (await rig.data(person["编号"]))[-1]
    assert (last["skills"], last["capacity"], last["roles"]) == (["理发"], 2, told["roles"])


async def test_what_goes_out_comes_in_again_as_the_same(rig: Rig, lists: Lists, place: Place) -> None:
    rows = (("姓名", "电话", "角色"), ("'=1+1", "+85298765432", "志愿者"), ("-示例", "13900000102", ""))
    await lists.ask(await lists.send("people", table(*rows)), "apply")
    await lists.ask(
        await lists.send("households", table(("户号", "住址", "网格代码"), ("@3-12", "示例巷3号", place.grid))), "apply"
    )
    for kind in ("units", "groups", "people", "households", "linking"):
        plain, book = await lists.export(kind), await lists.export(kind, "xlsx")
        assert plain.startswith(b"\xef\xbb\xbf")
        cells = [cell for row in csv.reader(io.StringIO(plain.decode("utf-8-sig"))) for cell in row]
        assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
        sheet = openpyxl.load_workbook(io.BytesIO(book)).worksheets[0]
        assert {cell.data_type for row in sheet.iter_rows() for cell in row} <= {"s", "n", "inlineStr"}
        if kind == "groups":
            continue
        for content in (plain, book):
            known = await lists.send(kind, content)
            assert known["state"] == "ready", known
            assert known["counts"]["same"] == known["lines"] > 0, (kind, known, await lists.lines(known, "wrong"))
    assert await scoped(rig, place.code, "SELECT count(*) FROM exports") == 10


async def test_grids_groups_households_and_who_links_them(rig: Rig, lists: Lists, place: Place) -> None:
    grid, group = place.code + "009", place.code + "00901"
    units = await lists.send("units", table(("代码", "名称"), (grid, "示例网格九")))
    await lists.ask(units, "apply")
    await lists.ask(await lists.send("groups", workbook(("组代码", "名称"), (group, "示例联户组"))), "apply")
    linking = table(("name", "phone", "roles"), ("示例中心户", "13900000103", "volunteer"))
    await lists.ask(await lists.send("people", linking), "apply")
    homes = table(
        ("户号", "网格代码", "组代码", "住址", "党员中心户"),
        ("A-1", grid, group, "示例巷1号", "13900000103"),
        ("A-2", grid, group, "示例巷2号", ""),
    )
    known = await lists.ask(await lists.send("households", homes), "apply")
    assert known["state"] == "applied"
    exported = list(csv.DictReader(io.StringIO((await lists.export("households")).decode("utf-8-sig"))))
    one, two = sorted(exported, key=lambda row: row["户号"])
    assert (one["组代码"], two["党员中心户"]) == (group, "")
    person = one["党员中心户"]
    assert (await rig.data(person))[-1]["linking_households"] == [one["编号"]]
    [told] = await rig.data(one["编号"])
    assert "address" not in told
    assert "code" not in told
    links = await lists.send("linking", table(("户号", "党员中心户"), ("A-2", "13900000103"), ("A-1", "")))
    assert links["counts"]["changed"] == 2
    await lists.ask(links, "apply")
    assert (await rig.data(person))[-1]["linking_households"] == [two["编号"]]
    links = await lists.ask(links, "undo")
    assert links["state"] == "undone"
    assert (await rig.data(person))[-1]["linking_households"] == [one["编号"]]


async def test_wrong_lines_are_told_by_line_and_column_and_stay_out(rig: Rig, lists: Lists, place: Place) -> None:
    content = table(
        ("姓名", "电话", "角色", "村代码"),
        ("示例甲", "13900000104", "志愿者", place.code),
        ("示例乙", "12", "志愿者", place.code),
        ("示例丙", "13900000105", "国王", place.code),
        ("示例丁", "13900000106", "志愿者", "110101001001"),
        ("", "13900000107", "", place.code),
        ("示例甲", "13900000104", "", place.code),
        ("=cmd()", "13900000108", "", place.code),
        ("示例戊", "13900000109", "管理员@4417", place.code),
        ("示例\x00己", "13900000110", "", place.code),
        ("长" * 3000, "13900000111", "", place.code),
    )
    known = await lists.send("people", content)
    assert known["counts"] == {"new": 1, "changed": 0, "same": 0, "wrong": 9}
    wrong = {line["line"]: line["errors"][0] for line in await lists.lines(known, "wrong")}
    told = {line: (error["code"], error.get("column", {}).get("zh")) for line, error in wrong.items()}
    assert told == {
        3: ("phone", "电话"), 4: ("role", "角色"), 5: ("outside", "村代码"), 6: ("needed", "姓名"), 7: ("twice", None),
        8: ("formula", "姓名"), 9: ("outside", "角色"), 10: ("control", "姓名"), 11: ("long", "姓名"),
    }  # fmt: skip
    assert all(error["en"] and error["zh"] for error in wrong.values())
    assert "12" not in wrong[3]["en"].replace("11 digits", "")
    problem = await rig.refused(409, "POST", f"/v1/imports/{known['id']}/apply", lists.admin, {})
    assert problem["type"].endswith("lines-wrong")
    known = await lists.ask(known, "apply", skip_errors=True)
    assert (known["state"], known["done"], known["skip_errors"]) == ("applied", 1, True)
    exported = (await lists.export("people")).decode()
    assert "示例甲" in exported
    assert "示例乙" not in exported


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
async def test_texts_come_as_spreadsheets_save_them(lists: Lists, encoding: str) -> None:
    between = "\t" if encoding == "utf-16" else ","
    content = f"名单\r\n姓名{between}电话\r\n示例甲{between}13900000112\r\n\r\n".encode(encoding)
    known = await lists.send("people", content)
    assert (known["state"], known["counts"]["new"]) == ("ready", 1), known


async def test_undo_takes_away_what_it_made_and_puts_back_what_it_changed(rig: Rig, lists: Lists, place: Place) -> None:
    first = table(("代码", "名称"), (place.code + "011", "示例网格十一"), (place.code + "001", "改了名的网格"))
    known = await lists.ask(await lists.send("units", first), "apply")
    assert known["counts"] == {"new": 1, "changed": 1, "same": 0, "wrong": 0}
    known = await lists.ask(known, "undo")
    assert (known["state"], known["obstacles"]) == ("undone", [])
    names = [row[1] for row in csv.reader(io.StringIO((await lists.export("units")).decode("utf-8-sig")))]
    assert "示例网格十一" not in names
    assert "改了名的网格" not in names
    # The key goes on from where its topic is: a consumer that saw the tombstone takes what comes after it.
    await lists.ask(await lists.send("units", first), "apply")
    rows = await rig.rows.fetch(
        "SELECT sequence, payload FROM outbox WHERE aggregateid = $1 ORDER BY position", place.code + "011"
    )
    assert [row["sequence"] for row in rows] == [1, 2, 3]
    assert rows[1]["payload"] is None


async def test_people_come_and_go_with_a_tombstone(rig: Rig, lists: Lists) -> None:
    who = str(uuid4())
    await rig.good("POST", "/v1/people/batch", lists.admin, {"items": [{"tenant": lists.at, "name": "示例旧"}]})
    known = await lists.send("people", table(("姓名", "电话", "角色"), ("示例甲", "13900000113", "志愿者")))
    known = await lists.ask(known, "apply")
    before = await scoped(rig, lists.at, "SELECT count(*) FROM people WHERE tenant = $1", lists.at)
    known = await lists.ask(known, "undo")
    assert known["state"] == "undone"
    assert await scoped(rig, lists.at, "SELECT count(*) FROM people WHERE tenant = $1", lists.at) == before - 1
    await rig.refused(409, "POST", f"/v1/imports/{known['id']}/apply", lists.admin, {})
    wrong = await lists.send("people", table(("编号", "姓名"), (who, "示例甲")))
    [line] = await lists.lines(wrong, "wrong")
    assert line["errors"][0]["code"] == "id-unknown"


async def test_undo_says_what_stands_in_its_way(rig: Rig, lists: Lists, place: Place) -> None:
    content = table(("姓名", "电话", "角色"), ("示例甲", "13900000114", "志愿者"), ("示例乙", "13900000115", "志愿者"))
    known = await lists.ask(await lists.send("people", content), "apply")
    exported = csv.DictReader(io.StringIO((await lists.export("people")).decode("utf-8-sig")))
    people = {row["姓名"]: row["编号"] for row in exported}
    home = {"id": str(uuid4()), "tenant": place.code, "linking_person": people["示例甲"]}
    await rig.good("PUT", "/v1/households", lists.admin, {"items": [home]})
    renamed = {"id": people["示例乙"], "tenant": place.code, "name": "示例改"}
    await rig.good("POST", "/v1/people", lists.admin, renamed)
    known = await lists.ask(known, "undo")
    assert known["state"] == "applied"
    assert {each["line"]: each["code"] for each in known["obstacles"]} == {2: "in-use", 3: "changed-since"}
    assert all(each["en"] and each["zh"] for each in known["obstacles"])


async def test_what_moved_on_since_the_check_is_not_overwritten(rig: Rig, lists: Lists, place: Place) -> None:
    known = await lists.send("units", table(("代码", "名称"), (place.grid, "从名单来"), (place.code + "012", "新网格")))
    item = {"code": place.grid, "name": "别人改的"}
    await rig.good("PUT", "/v1/org-units", lists.admin, {"items": [item]})
    known = await lists.ask(known, "apply")
    assert (known["state"], known["problem"]["code"], known["allowed"]) == ("failed", "moved-on", ["check"])
    exported = (await lists.export("units")).decode()
    assert "别人改的" in exported
    assert "新网格" not in exported  # nothing of it
    known = await lists.ask(known, "check")
    assert known["state"] == "ready"
    assert (await lists.ask(known, "apply"))["state"] == "applied"


async def test_an_admin_keeps_to_their_reach(rig: Rig, lists: Lists, place: Place) -> None:
    there = await rig.village()
    known = await lists.send("people", table(("姓名",), ("示例甲",)))
    for role, at, status in (("admin", there.code, 404), ("clerk", place.code, 403)):
        await rig.refused(status, "GET", f"/v1/imports/{known['id']}", bearer(role, at))
        await rig.refused(status, "POST", f"/v1/imports/{known['id']}/apply", bearer(role, at), {})
        await rig.refused(status, "GET", f"/v1/exports/people.csv?at={place.code}", bearer(role, at))
    answer = await rig.client.post("/v1/imports?kind=people", content=b"x", headers=CSV)
    assert answer.status_code == 401
    # Somebody else's household is not to be had by its id.
    home = {"id": str(uuid4()), "tenant": there.code, "address": "别村"}
    await rig.good("PUT", "/v1/households", bearer("admin", there.code), {"items": [home]})
    taken = await lists.send("households", table(("编号", "住址"), (home["id"], "我的")))
    [line] = await lists.lines(taken, "wrong")
    assert line["errors"][0]["code"] == "id-unknown"


async def test_roles_beyond_reach_stay(rig: Rig, lists: Lists, place: Place) -> None:
    who, town = str(uuid4()), place.code[:9]
    roles = [{"role": "supervisor", "at": town}, {"role": "clerk", "at": place.code}]
    item = {"id": who, "tenant": place.code, "name": "示例镇村", "roles": roles}
    await rig.good("POST", "/v1/people", bearer("admin", town), item)
    await lists.ask(await lists.send("people", table(("编号", "姓名", "角色"), (who, "示例镇村", "志愿者"))), "apply")
    last = (await rig.data(who))[-1]
    assert last["roles"] == [{"role": "supervisor", "at": town}, {"role": "volunteer", "at": place.code}]


async def test_erasing_somebody_empties_their_lines(rig: Rig, lists: Lists) -> None:
    known = await lists.ask(await lists.send("people", table(("姓名", "电话"), ("示例注销", "13900000116"))), "apply")
    exported = csv.DictReader(io.StringIO((await lists.export("people")).decode("utf-8-sig")))
    [who] = [row["编号"] for row in exported if row["姓名"] == "示例注销"]
    await rig.good("POST", f"/v1/people/{who}/erase", lists.admin)
    assert await scoped(rig, lists.at, "SELECT count(*) FROM import_lines WHERE key = $1 AND after IS NULL", who) == 1
    known = await lists.ask(known, "undo")
    assert [each["code"] for each in known["obstacles"]] == ["erased"]


async def test_work_whose_process_ended_is_failed_with_nothing_applied(rig: Rig, lists: Lists) -> None:
    known = await lists.send("people", table(("姓名",), ("示例甲",)))
    killed = "UPDATE imports SET state = 'applying', beat_at = now() - interval '1 minute' WHERE id = $1 RETURNING 1"
    assert await scoped(rig, lists.at, killed, known["id"])  # as a process leaves it that is killed while it applies
    found = await lists.settled(known["id"])
    assert (found["state"], found["problem"]["code"]) == ("failed", "interrupted")
    assert "nothing" in found["problem"]["en"]
    assert (await lists.ask(known, "apply"))["state"] == "applied"


async def test_two_who_apply_at_once_apply_once(rig: Rig, lists: Lists) -> None:
    known = await lists.send("people", table(("姓名",), ("示例甲",)))
    path = f"/v1/imports/{known['id']}/apply"
    answers = await asyncio.gather(*(rig.call("POST", path, lists.admin, {}) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [202, 409, 409, 409]
    assert (await lists.settled(known["id"]))["state"] == "applied"
    assert (
        await scoped(rig, lists.at, "SELECT count(*) FROM people WHERE tenant = $1 AND name = '示例甲'", lists.at) == 1
    )


async def test_an_import_is_forgotten_by_age(rig: Rig, lists: Lists) -> None:
    known = await lists.send("people", table(("姓名",), ("示例甲",)))
    assert await scoped(rig, lists.at, "SELECT count(*) FROM import_files WHERE import = $1", known["id"]) == 1
    await rig.fire(known, "import-over")
    await rig.refused(404, "GET", f"/v1/imports/{known['id']}", lists.admin)
    assert await scoped(rig, lists.at, "SELECT count(*) FROM import_lines WHERE import = $1", known["id"]) == 0
    assert await scoped(rig, lists.at, "SELECT count(*) FROM import_files WHERE import = $1", known["id"]) == 0


async def test_a_form_with_a_file_and_the_contracts_own_address(rig: Rig, lists: Lists) -> None:
    files = {"file": ("名单.csv", table(("姓名",), ("示例甲",)), "text/csv")}
    answer = await rig.client.post("/v1/people/import", files=files, headers=lists.admin)
    assert answer.status_code == 202, answer.text
    assert (await lists.settled(answer.json()["id"]))["counts"]["new"] == 1


async def test_what_is_too_long_or_no_file_is_refused_unread(rig: Rig, lists: Lists) -> None:
    large = b"x" * (20 * 1024 * 1024 + 1)
    for path in ("/v1/imports?kind=people", "/v1/people/import"):
        answer = await rig.client.post(path, content=large, headers={**lists.admin, **CSV})
        assert answer.status_code == 413
        assert "20 MB" in answer.text
        answer = await rig.client.post(path, content=b"", headers={**lists.admin, **CSV})
        assert answer.status_code == 422
        for other in ("image/png", "application/json"):
            answer = await rig.client.post(path, content=b"{}", headers={**lists.admin, "content-type": other})
            assert answer.status_code == 415

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(21):
            yield b"x" * 1024 * 1024

    answer = await rig.client.post("/v1/imports?kind=people", content=chunks(), headers={**lists.admin, **CSV})
    assert answer.status_code == 413
    small = b"x" * (64 * 1024 + 1)
    answer = await rig.client.put("/v1/households", content=small, headers={**lists.admin, **CSV})
    assert answer.status_code in (413, 415)  # everywhere else bodies stay short


@asynccontextmanager
async def held(rig: Rig, at: str, code: str) -> AsyncIterator[None]:
    """Somebody else is at a unit's row meanwhile: whoever would change it waits."""
    connection = await asyncpg.connect(rig.urls.api)
    try:
        async with connection.transaction():
            await connection.execute("SELECT set_config('lianhu.scope', $1, true)", at)
            assert await connection.fetchval("SELECT 1 FROM org_units WHERE code = $1 FOR UPDATE", code)
            yield
    finally:
        await connection.close()


async def waiting(rig: Rig) -> int:
    """The process of the database in which an import waits for a row."""
    connection = await asyncpg.connect(rig.urls.api)
    try:

        async def found() -> Any:
            return await connection.fetchval(
                "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database() "
                "AND query LIKE '%org_units%' LIMIT 1"
            )

        return int(await eventually(found))
    finally:
        await connection.close()


async def names(lists: Lists) -> set[str]:
    """The names of the units there."""
    rows = csv.DictReader(io.StringIO((await lists.export("units")).decode("utf-8-sig")))
    return {row["名称"] for row in rows}


@pytest.mark.parametrize("fault", ["connection", "process", "given up"])
async def test_work_that_breaks_in_the_middle_leaves_nothing(rig: Rig, lists: Lists, place: Place, fault: str) -> None:
    content = table(
        ("代码", "名称"), (place.code + "001", "第一"), (place.code + "002", "第二"), (place.code + "003", "新")
    )
    known = await lists.send("units", content)
    path = f"/v1/imports/{known['id']}"
    async with held(rig, lists.at, place.code + "002"):
        await rig.good("POST", f"{path}/apply", lists.admin, {})
        backend = await waiting(rig)
        seen = await rig.good("GET", path, lists.admin)
        assert (seen["state"], seen["allowed"]) == ("applying", [])
        if fault == "connection":
            assert await scoped(rig, lists.at, "SELECT pg_terminate_backend($1)", backend)
        elif fault == "process":
            app = rig.client._transport.app  # type: ignore[attr-defined]
            await app.state.importing.close()
        else:  # somebody took it for dead
            over = "UPDATE imports SET state = 'failed', attempt = gen_random_uuid() WHERE id = $1 RETURNING 1"
            assert await scoped(rig, lists.at, over, known["id"])
        if fault != "given up":
            found = await lists.settled(known["id"])
            assert (found["state"], found["problem"]["code"]) == ("failed", "interrupted")

    async def idle() -> bool:
        return not rig.client._transport.app.state.importing.busy  # type: ignore[attr-defined]

    await eventually(idle)
    assert names_of_list(await names(lists)) == set()
    assert (await lists.ask(known, "apply"))["state"] == "applied"
    assert names_of_list(await names(lists)) == {"第一", "第二", "新"}


def names_of_list(found: set[str]) -> set[str]:
    """Those that the list brought."""
    return found & {"第一", "第二", "新"}
