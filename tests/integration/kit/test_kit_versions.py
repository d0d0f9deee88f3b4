"""An old and a new version of a service side by side on one database, from expand to contract, under calls to both."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import asyncpg
import httpx
import pytest

from integration.kit.renaming import VERSIONS, fill, router, write_revisions
from integration.kit.station import Settings
from lianhu_kit.application import create_application
from lianhu_kit.database import Database
from lianhu_kit.identifiers import new_id
from lianhu_kit.upgrading import migrate
from lianhu_tools.stores.server import Urls
from support import bearer, eventually, village
from support.stores import LocalPostgres

CALLERS = 3
HERE = village()
CLERK = bearer("clerk", HERE)


@dataclass
class Traffic:
    """What callers of all running versions saw."""

    seed: int
    calls: dict[int, int] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)
    known: dict[UUID, str] = field(default_factory=dict)

    @asynccontextmanager
    async def between(self, clients: dict[int, httpx.AsyncClient], enough: int = 30) -> AsyncIterator[None]:
        """Callers go on during the block, and until each version has answered so many calls of it."""
        ended = asyncio.Event()
        begun = dict(self.calls)
        tasks = [asyncio.create_task(self._call(clients, ended, number)) for number in range(CALLERS)]
        try:
            yield
            assert await eventually(lambda: self._enough(clients, begun, enough), timeout=60)
        finally:
            ended.set()
            await asyncio.gather(*tasks)

    async def _enough(self, clients: dict[int, httpx.AsyncClient], begun: dict[int, int], enough: int) -> bool:
        return all(self.calls.get(each, 0) - begun.get(each, 0) >= enough for each in clients)

    async def _call(self, clients: dict[int, httpx.AsyncClient], ended: asyncio.Event, number: int) -> None:
        """One caller: writes notes of its own through any version, and reads what was written through any other."""
        dice = random.Random(f"{self.seed}:{number}:{len(self.calls)}")
        own: list[UUID] = [note for place, note in enumerate(self.known) if place % CALLERS == number]
        while not ended.is_set():
            version, client = dice.choice(list(clients.items()))
            if own and dice.random() < 0.5:
                note = dice.choice(own)
                answer = await client.get(f"/v1/notes/{note}", params={"at": HERE})
                if answer.status_code == 200 and answer.json()["words"] != self.known[note]:
                    self.stale.append(f"version {version} read {answer.json()['words']!r}, not {self.known[note]!r}")
            else:
                note = dice.choice(own) if own and dice.random() < 0.5 else new_id()
                words = f"{version}.{dice.randrange(10**9)}"
                answer = await client.put(f"/v1/notes/{note}", json={"at": HERE, "words": words})
                self.known[note] = words
                own = own if note in own else [*own, note]
            if answer.status_code != 200:
                self.failed.append(f"version {version}: {answer.status_code} {answer.text}")
            self.calls[version] = self.calls.get(version, 0) + 1


class Release:
    """A database whose versions of the API run beside each other."""

    def __init__(self, urls: Urls, jwks: Path, folder: Path) -> None:
        self.urls = urls
        self._jwks = jwks
        self._folder = folder

    async def migrate(self, until: str) -> None:
        """The migration job of a release."""
        await asyncio.to_thread(migrate, write_revisions(self._folder / "migrations", until), self.urls.owner)

    @asynccontextmanager
    async def running(self, numbers: Sequence[int]) -> AsyncIterator[dict[int, httpx.AsyncClient]]:
        """Processes of these versions, each ready, and a client of each."""
        async with AsyncExitStack() as stack:
            clients = {}
            for number in numbers:
                version = VERSIONS[number]
                settings = Settings(
                    database_url=self.urls.api, auth_jwks=str(self._jwks), state_directory=self._folder / "state"
                )
                app = create_application(
                    settings,
                    title=f"Version {number}",
                    routers=[router(version)],
                    required_revision=version.required_revision,
                )
                await stack.enter_async_context(app.router.lifespan_context(app))
                client = httpx.AsyncClient(
                    transport=httpx.ASGITransport(app, raise_app_exceptions=False),
                    base_url="http://notes",
                    timeout=30,
                    headers=CLERK,
                )
                clients[number] = await stack.enter_async_context(client)
                assert (await client.get("/readyz")).status_code == 200
            yield clients


@pytest.fixture
def release(postgres: LocalPostgres, jwks_file: Path, tmp_path: Path) -> Release:
    """A fresh, empty database."""
    return Release(postgres.create("kit"), jwks_file, tmp_path)


async def test_a_column_is_renamed_in_four_steps_and_no_call_fails(release: Release) -> None:
    traffic = Traffic(seed=1)
    await release.migrate("0001")
    async with release.running([1]) as old, traffic.between(old):
        await release.migrate("0002")  # expand: the old version goes on beside it
    async with release.running([1, 2]) as both, traffic.between(both):
        pass  # rolling from 1 to 2: what 1 writes has no content yet, and 2 reads it all the same
    worker = Database(release.urls.worker, application_name="kit-fill", pool_size=2)
    async with release.running([2]) as second, traffic.between(second):
        assert await fill(worker, HERE, batch=10) > 0
        await release.migrate("0003")
        await release.migrate("0004")
        assert await fill(worker, HERE) == 0
    await worker.close()
    async with release.running([2, 3]) as both, traffic.between(both):
        pass
    async with release.running([3, 4]) as both, traffic.between(both):
        pass
    async with release.running([4]) as last, traffic.between(last):
        await release.migrate("0005")  # contract: nobody reads or writes the old column any more
    assert traffic.failed == []
    assert traffic.stale == []
    assert min(traffic.calls.values()) >= 60


async def test_a_step_left_out_is_seen(release: Release) -> None:
    """The same callers find the fault where version 3 meets version 1: what 1 writes, 3 does not read."""
    traffic = Traffic(seed=2)
    await release.migrate("0002")
    await release.migrate("0004")
    async with release.running([1, 3]) as both, traffic.between(both):
        pass
    assert traffic.stale or traffic.failed


async def test_a_migration_waits_for_a_held_table_and_holds_up_nobody_for_long(release: Release) -> None:
    traffic = Traffic(seed=3)
    await release.migrate("0001")
    holder = await asyncpg.connect(release.urls.owner)
    try:
        async with release.running([1]) as old, traffic.between(old):
            await holder.execute("BEGIN; LOCK TABLE notes IN ROW EXCLUSIVE MODE")
            migrating = asyncio.create_task(release.migrate("0002"))
            await asyncio.sleep(4)  # longer than a migration waits for a lock
            assert not migrating.done()
            await holder.execute("COMMIT")
            await migrating
    finally:
        await holder.close()
    assert traffic.failed == []
    assert traffic.stale == []
