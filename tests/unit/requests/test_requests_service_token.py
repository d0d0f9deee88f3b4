"""The token of one service at another: made where the signing keys are, of one role, without a place."""

from pathlib import Path
from uuid import UUID

import jwt
import pytest

from lianhu_kit.tokens import make_key_pair
from requests_service.__main__ import print_service_token
from requests_service.settings import Settings


def test_it_opens_what_is_internal_and_nothing_else(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "k1.pem").write_text(make_key_pair("k1")[0])
    settings = Settings(database_url="postgresql://nobody@127.0.0.1/x", auth_jwks="x", signing_keys=tmp_path)
    assert print_service_token(settings, []) == 0
    claims = jwt.decode(capsys.readouterr().out.strip(), options={"verify_signature": False})
    assert claims["roles"] == [{"role": "service", "at": ""}]
    assert UUID(claims["sub"]) == UUID(int=0)
    assert claims["exp"] - claims["iat"] == 400 * 86400
