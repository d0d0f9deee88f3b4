"""kill -9 of `migrate` in every revision: nothing half done stays, and the next run brings the tables to the end."""

import asyncio
import subprocess
import sys
from typing import Any

import asyncpg

from chaos.checker import Finding
from chaos.doomed_migration import PLACES
from chaos.doubles import becoming
from chaos.run import Run
from lianhu_tools.local.system import cluster_of
from lianhu_tools.stores.server import SUPERUSER
from lianhu_tools.topology import SERVICES
from support.stores import ROOT

SECONDS = 120
# Everything that a migration makes: tables and their columns, constraints, indexes, policies, functions, grants.
_STATE = (
    "SELECT table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns "
    "WHERE table_schema = 'public' AND table_name !~ '^published_[0-9]+$'",
    "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint "
    "WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text !~ '^published_[0-9]+$'",
    "SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename !~ '^published_[0-9]+$'",
    "SELECT tablename, policyname, roles::text, cmd, qual, with_check FROM pg_policies",
    "SELECT proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace",
    "SELECT table_name, grantee, privilege_type FROM information_schema.role_table_grants "
    "WHERE table_schema = 'public' AND table_name !~ '^published_[0-9]+$'",
    "SELECT relname, relrowsecurity, relforcerowsecurity FROM pg_class WHERE relnamespace = 'public'::regnamespace "
    "AND relkind IN ('r', 'p') AND relname !~ '^published_[0-9]+$'",
)
State = tuple[frozenset[Any], ...]


def revisions(service: str) -> list[str]:
    """A service's revisions, the oldest first."""
    folder = ROOT / "services" / service / "migrations" / "versions"
    return sorted(file.name.split("_")[0] for file in folder.glob("[0-9]*.py"))


async def migrations_fall(run: Run) -> str:
    """In databases beside the live ones: up to the revision before, killed within it, and on to the end."""
    every = [(service, revision) for service in SERVICES for revision in revisions(service)]
    chosen = run.dice.sample(every, 2) if run.short else every
    fell = []
    for service, revision in chosen:
        for place in PLACES:
            told = await Migration(run, service).fall(revision, place)
            run.findings.extend(told)
        fell.append(f"{service} {revision}")
    return f"kill -9 of migrate within {', '.join(fell)}, each {' and '.join(PLACES)}"


class Migration:
    """A database of its own that is migrated."""

    def __init__(self, run: Run, service: str) -> None:
        self._service = service
        self._name = f"chaos_{service}"
        self._topology = run.system.topology
        self._cluster = cluster_of(run.system.topology)
        self._root = run.system.root
        self._log = run.system.topology.logs / f"{service}.migrations.log"

    async def fall(self, revision: str, place: str) -> list[Finding]:
        """Plays it once; what was wrong."""
        name = f"{self._service} {revision} {place}"
        before = revisions(self._service)[: revisions(self._service).index(revision)]
        urls = await self._cluster.create(self._service, self._name)
        try:
            if before:
                await self._migrate(urls.owner, until=before[-1])
            then = await self._state()
            if await self._migrate(urls.owner, revision=revision, place=place) != -9:
                return [Finding("illegal", "migration", f"{name}: migrate was not killed there")]
            found = []
            if await self._state() != then:
                found.append(Finding("illegal", "migration", f"{name}: something half done stayed"))
            if (code := await self._migrate(urls.owner)) != 0:
                found.append(Finding("illegal", "migration", f"{name}: the next run ended with {code}"))
            elif await self._state() != await self._state(self._service):
                found.append(Finding("illegal", "migration", f"{name}: the next run made other tables"))
            return found
        finally:
            await self._drop()

    async def _migrate(self, url: str, *, until: str = "head", revision: str = "", place: str = "") -> int:
        environment = self._topology.environment(self._service, "owner", url)
        environment |= becoming(self._service, "migrate", environment.get("PYTHONPATH", ""))
        environment |= {"CHAOS_UNTIL": until, "CHAOS_REVISION": revision, "CHAOS_PLACE": place}

        def ended() -> int:
            with self._log.open("ab") as log:
                command = [sys.executable, "-m", "chaos.doomed_migration"]
                return subprocess.run(
                    command, cwd=self._root, env=environment, stdout=log, stderr=log, timeout=SECONDS, check=False
                ).returncode

        return await asyncio.to_thread(ended)

    async def _state(self, database: str = "") -> State:
        """What stands in a database once nobody is at work in it."""
        connection = await asyncpg.connect(self._cluster.url(SUPERUSER, database or self._name), timeout=10)
        try:
            await connection.execute("SELECT pg_advisory_lock(hashtext('lianhu migrations'))")
            state = [frozenset(tuple(row) for row in await connection.fetch(query)) for query in _STATE]
            if await connection.fetchval("SELECT to_regclass('alembic_version')"):
                state.append(frozenset(tuple(row) for row in await connection.fetch("SELECT * FROM alembic_version")))
        finally:
            await connection.close()
        return tuple(state)

    async def _drop(self) -> None:
        connection = await asyncpg.connect(self._cluster.url(SUPERUSER, "postgres"), timeout=10)
        try:
            await connection.execute(f"DROP DATABASE IF EXISTS {self._name} WITH (FORCE)")
        finally:
            await connection.close()
