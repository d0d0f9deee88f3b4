"""The command line refuses in one sentence what it cannot do, and a token is all that `token` prints."""

import re
from pathlib import Path

import jwt
import pytest
from typer.testing import CliRunner

from lianhu_tools.command import app
from lianhu_tools.faults import Fault
from lianhu_tools.keys import person_of

ROOT = Path(__file__).resolve().parents[3]
runner = CliRunner()


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone of its own, so that the keys and the system of the real one are left alone."""
    (tmp_path / "shared").symlink_to(ROOT / "shared")
    monkeypatch.setenv("LIANHU_ROOT", str(tmp_path))
    return tmp_path


def _token(*arguments: str) -> dict[str, object]:
    printed = runner.invoke(app, ["token", *arguments], catch_exceptions=False).stdout
    assert re.fullmatch(r"[\w-]+\.[\w-]+\.[\w-]+\n", printed)
    claims: dict[str, object] = jwt.decode(printed.strip(), options={"verify_signature": False})
    return claims


def test_a_token_is_for_the_same_person_each_time() -> None:
    first, second = (_token("clerk", "--at", "441702008205") for _ in range(2))
    assert first["sub"] == second["sub"] == str(person_of("clerk", "441702008205"))
    assert first["roles"] == [{"role": "clerk", "at": "441702008205"}]
    assert first["aud"] == "lianhu"


def test_a_token_is_for_whom_it_is_asked() -> None:
    who = "0192f0c1-0000-7000-8000-000000000001"
    claims = _token("resident", "--at", "", "--person", who)
    assert claims["sub"] == who


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["token", "king", "--at", "441702008205"], "There is no role 'king'"),
        (["token", "clerk"], "Say where"),
        (["token", "clerk", "--at", "44170"], "'44170' is no division code"),
        (["token", "clerk", "--at", "441702008205", "--person", "x"], "person= a UUID"),
        (["psql", "nobody"], "There is no service 'nobody'"),
        (["parked", "nobody"], "There is no service 'nobody'"),
        (["parked", "--id", "7"], "There is no service ''"),
        (["parked", "requests", "--retry", "why"], "Say which: id="),
        (["parked", "requests", "--id", "7", "--retry", "a", "--drop", "b"], "Say either retry= or drop="),
        (["parked", "requests", "--id", "7", "--drop", " "], "Say why"),
        (["parked", "requests", "--id", "7", "--drop", "x" * 2001], "at most 2000 characters"),
        (["parked", "requests", "--id", "7", "--drop", "why"], "say yes=1"),
        (["replay", ""], "There is no service ''"),
        (["replay", "requests"], "Only reporting is built anew"),
        (["refill", "lianhu.nobody.v1"], "There is no topic 'lianhu.nobody.v1'"),
        (["logs", "nobody"], "There is no log of 'nobody'"),
        (["trace", "12345678"], "'12345678' is no request's id"),
        (["check", "smoke"], "There is no check 'smoke'"),
    ],
)
def test_what_cannot_be_done_is_said_with_what_would_be_right(arguments: list[str], said: str) -> None:
    with pytest.raises(Fault, match=re.escape(said)):
        runner.invoke(app, arguments, catch_exceptions=False)


def test_every_make_target_has_its_line_of_help() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z0-9-]+):", makefile, re.MULTILINE))
    told = set(re.findall(r"^([a-z0-9-]+):.* ## .", makefile, re.MULTILINE))
    assert targets == told
    wanted = "demo test up down status clean token topics lag parked psql logs trace replay refill"
    assert set(wanted.split()) <= told
