"""Tokens of the local system: who they name, and with which role."""

from pathlib import Path
from uuid import uuid4

import jwt
import pytest

from lianhu_tools import keys


@pytest.mark.parametrize(("role", "at"), [("clerk", "441702008205"), ("resident", "")])
def test_a_token_has_the_role_and_the_same_person_each_time(tmp_path: Path, role: str, at: str) -> None:
    keys.ensure(tmp_path)
    first, again = (_claims(keys.token(tmp_path, role, at)) for _ in range(2))
    assert first["roles"] == [{"role": role, "at": at}]
    assert first["sub"] == again["sub"]
    person = uuid4()
    assert _claims(keys.token(tmp_path, role, at, person))["sub"] == str(person)


def _claims(token: str) -> dict[str, object]:
    claims: dict[str, object] = jwt.decode(token, options={"verify_signature": False})
    return claims
