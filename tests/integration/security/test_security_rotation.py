"""Exchanging the signing key while services run: both keys count while they overlap, the old one ends with its file."""

from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest

from integration.security.served import Served
from lianhu_kit.tokens import BadToken, Grant, TokenVerifier, make_key_pair, sign
from lianhu_tools.keys import ISSUER


@pytest.fixture
def signed() -> Callable[[str, str], str]:
    """Makes tokens of a clerk with a given key."""
    return lambda pem, kid: sign(pem, kid, issuer=ISSUER, person=uuid4(), roles=[Grant("clerk", "441702008205")])


async def test_an_old_key_goes_and_its_tokens_with_it(
    served: Served, tmp_path: Path, signed: Callable[[str, str], str]
) -> None:
    """Against the key set that the running requests service gives out, as every other service reads it."""

    def reader() -> TokenVerifier:
        return TokenVerifier(f"{served.url('requests')}/auth/jwks.json", issuer=ISSUER, cache=tmp_path / "keys.json")

    def a_minute_later(service: TokenVerifier) -> None:
        service._fetched = float("-inf")

    old, new = make_key_pair("rotation-old")[0], make_key_pair("rotation-new")[0]
    old_file, new_file = (served.keys / f"rotation-{name}.pem" for name in ("old", "new"))
    old_file.write_text(old)
    service = reader()
    await service.verify(signed(old, "rotation-old"))
    with pytest.raises(BadToken):
        await service.verify(signed(new, "rotation-new"))

    new_file.write_text(new)  # the keys overlap: no service is told, none is restarted
    a_minute_later(service)
    await service.verify(signed(new, "rotation-new"))
    await service.verify(signed(old, "rotation-old"))

    old_file.unlink()
    a_minute_later(service)
    await service._fetch()  # what keep_fresh does every ten minutes
    with pytest.raises(BadToken):
        await service.verify(signed(old, "rotation-old"))
    await service.verify(signed(new, "rotation-new"))
    # Nor does the copy on disk bring it back, when the service restarts while its source is away.
    alone = TokenVerifier("http://127.0.0.1:9/none", issuer=ISSUER, cache=tmp_path / "keys.json")
    await alone.verify(signed(new, "rotation-new"))
    with pytest.raises(BadToken):
        await alone.verify(signed(old, "rotation-old"))
    new_file.unlink()
