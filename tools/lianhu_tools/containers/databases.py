"""The databases and roles of the system in containers, each role with a password of its own."""

from pathlib import Path

from lianhu_tools.containers.secrets import SERVER, password_of, superuser_file
from lianhu_tools.stores.server import SUPERUSER, Server
from lianhu_tools.topology import SERVICES


class ComposeServer(Server):
    """The server in its container."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.host, _, port = SERVER.partition(":")
        self.port = int(port)

    def password_of(self, role: str) -> str:
        """A role's own password, from its secret."""
        if role == SUPERUSER:
            return superuser_file(self._folder).read_text()
        service, _, name = role.partition("_")
        return password_of(self._folder, service, name)


async def ensure(folder: Path) -> None:
    """Makes the four databases and their roles where they are missing. Raises Fault when the server does not answer."""
    server = ComposeServer(folder)
    await server.answer(seconds=120)
    for service in SERVICES:
        await server.create(service)
