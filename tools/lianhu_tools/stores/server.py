"""A PostgreSQL server that runs somewhere on this machine: its addresses, databases and roles."""

import asyncio
from dataclasses import dataclass
from typing import Any

import asyncpg

from lianhu_tools.faults import Fault

ROLES = ("owner", "api", "worker")
SUPERUSER = "postgres"


@dataclass(frozen=True)
class Urls:
    """One service's database under its three roles."""

    owner: str
    api: str
    worker: str


class Server:
    """What can be asked of any server whose port and password are known."""

    host = "127.0.0.1"
    port: int

    @property
    def password(self) -> str:
        """The one password of this server's roles."""
        raise NotImplementedError

    def password_of(self, _role: str) -> str:
        """A role's password: one for all, unless a server keeps one for each."""
        return self.password

    def url(self, role: str, database: str) -> str:
        """The address of a database under a role."""
        return f"postgresql://{role}:{self.password_of(role)}@{self.host}:{self.port}/{database}"

    def urls(self, service: str, database: str | None = None) -> Urls:
        """The addresses of a service's database under its three roles."""
        return Urls(*(self.url(f"{service}_{role}", database or service) for role in ROLES))

    async def answer(self, *, seconds: float = 60) -> None:
        """Waits until the server answers. Raises Fault when it does not."""
        deadline = asyncio.get_running_loop().time() + seconds
        while True:
            try:
                connection = await asyncpg.connect(self.url(SUPERUSER, "postgres"), timeout=5)
            except (OSError, asyncpg.PostgresError, TimeoutError) as error:
                if asyncio.get_running_loop().time() > deadline:
                    raise Fault(f"PostgreSQL on port {self.port} does not answer: {error!r}") from error
                await asyncio.sleep(0.05)
            else:
                await connection.close()
                return

    async def create(self, service: str, database: str | None = None) -> Urls:
        """Makes a service's three roles and its database where they are missing; answers the addresses.

        The owner migrates. `api` and `worker` own nothing, and none of the three passes row-level security by.
        """
        name = database or service
        connection = await asyncpg.connect(self.url(SUPERUSER, "postgres"), timeout=10)
        try:
            for role in ROLES:
                await self._role(connection, f"{service}_{role}")
            if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name):
                await connection.execute(f'CREATE DATABASE "{name}" OWNER "{service}_owner"')
                await connection.execute(f'REVOKE ALL ON DATABASE "{name}" FROM PUBLIC')
            users = f'"{service}_api", "{service}_worker"'
            await connection.execute(f'GRANT CONNECT ON DATABASE "{name}" TO {users}')
        finally:
            await connection.close()
        return self.urls(service, name)

    async def _role(self, connection: "asyncpg.Connection[Any]", role: str) -> None:
        rights = "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT NOREPLICATION NOBYPASSRLS"
        exists = await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", role)
        if not exists:
            await connection.execute(f"CREATE ROLE \"{role}\" {rights} PASSWORD '{self.password_of(role)}'")
