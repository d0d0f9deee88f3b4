"""The pages that show a service's calls: complete without anything from outside, behind the gateway too."""

import re
from pathlib import Path

import httpx

from lianhu_kit.application import create_application
from lianhu_kit.settings import ServiceSettings


class Settings(ServiceSettings, service="pages"):
    """A service without calls."""


async def test_docs_name_only_what_the_service_itself_answers(tmp_path: Path) -> None:
    settings = Settings(database_url="postgresql://nobody@127.0.0.1:1/none", auth_jwks="none", state_directory=tmp_path)
    app = create_application(settings, title="Pages", routers=[], required_revision="0001")
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
        for prefix in ("", "/api/pages"):
            page = await client.get("/docs", headers={"x-forwarded-prefix": prefix} if prefix else {})
            links = re.findall(r"(?:href|src)=\"([^\"]+)\"|url: '([^']+)'", page.text)
            addresses = [first or second for first, second in links]
            assert len(addresses) >= 3
            for address in addresses:
                assert address.startswith(f"{prefix}/"), address
                answer = await client.get(address.removeprefix(prefix))
                assert answer.status_code == 200, address
        forged = await client.get("/docs", headers={"x-forwarded-prefix": '/"><script>'})
        assert "<script>" not in forged.text.split("<body>")[0]
