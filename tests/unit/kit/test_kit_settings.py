"""Settings: names from the environment, and faults in one line each that never repeat a value."""

from pathlib import Path

import pytest
from pydantic import Field

from lianhu_kit.settings import ServiceSettings, load

GOOD = {
    "KIT_DATABASE_URL": "postgresql://kit_api:hunter2@127.0.0.1/kit",
    "LIANHU_AUTH_JWKS": "/keys.json",
    "KIT_HOURS": "[1,2]",
    "KIT_EXTRA": "5",
}


class Settings(ServiceSettings, service="kit"):
    """Those of every service and two of its own."""

    extra: int = 3
    hours: list[int] = Field(default_factory=list, description="[1,2]")


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment that is good."""
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def test_shared_and_own_variables_are_read(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("LIANHU_KAFKA_BOOTSTRAP", "broker:9")
    environment.setenv("KIT_KAFKA_BOOTSTRAP", "not this one")
    environment.setenv("LIANHU_LOCAL", "true")
    environment.setenv("KIT_PORT", "8001")
    found = load(Settings)
    assert (found.kafka_bootstrap, found.local, found.port, found.extra, found.hours) == (
        "broker:9",
        True,
        8001,
        5,
        [1, 2],
    )
    assert found.database_url == GOOD["KIT_DATABASE_URL"]
    assert found.timezone == "Asia/Shanghai"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("KIT_DATABASE_URL", "mysql://kit:hunter2@db/kit"),
        ("KIT_DATABASE_URL", None),
        ("LIANHU_AUTH_JWKS", None),
        ("KIT_PORT", "hunter2"),
        ("KIT_PORT", "70000"),
        ("KIT_DATABASE_POOL", "1"),
        ("LIANHU_KAFKA_SECURITY", "hunter2"),
        ("LIANHU_KAFKA_MECHANISM", "hunter2"),
        ("LIANHU_TIMEZONE", "hunter2/../nowhere"),
        ("LIANHU_LOCALE", "hunter2"),
        ("KIT_EXTRA", "hunter2"),
        ("KIT_HOURS", '["hunter2"]'),
    ],
)
def test_a_fault_is_one_line_that_names_the_variable_and_no_value(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], variable: str, value: str | None
) -> None:
    if value is None:
        environment.delenv(variable)
    else:
        environment.setenv(variable, value)
    with pytest.raises(SystemExit) as caught:
        load(Settings)
    assert caught.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"{variable}: ")
    assert "A right value: " in line
    assert "hunter2" not in line


def test_all_faults_are_told_at_once(environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    environment.setenv("KIT_PORT", "x")
    environment.delenv("LIANHU_AUTH_JWKS")
    with pytest.raises(SystemExit):
        load(Settings)
    assert [line.split(":")[0] for line in capsys.readouterr().err.splitlines()] == ["LIANHU_AUTH_JWKS", "KIT_PORT"]


def test_a_list_that_is_no_json_is_one_line_too(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    environment.setenv("KIT_HOURS", "hunter2,")
    with pytest.raises(SystemExit) as caught:
        load(Settings)
    assert caught.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "hours" in line.lower()
    assert "hunter2" not in line


def test_a_broker_that_asks_who_comes_needs_a_user_and_a_password(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    environment.setenv("LIANHU_KAFKA_SECURITY", "sasl_ssl")
    assert load(Settings).kafka_username == ""  # an API does not talk to it
    with pytest.raises(SystemExit) as caught:
        load(Settings, broker=True)
    assert caught.value.code == 2
    named = [line.split(":")[0] for line in capsys.readouterr().err.splitlines()]
    assert named == ["LIANHU_KAFKA_USERNAME", "LIANHU_KAFKA_PASSWORD"]
    environment.setenv("LIANHU_KAFKA_USERNAME", "dispatch")
    environment.setenv("LIANHU_KAFKA_PASSWORD", "hunter2")
    found = load(Settings, broker=True)
    assert "hunter2" not in repr(found)
    assert found.kafka_password.get_secret_value() == "hunter2"


def test_two_services_in_one_process_have_variables_of_their_own(environment: pytest.MonkeyPatch) -> None:
    class Others(ServiceSettings, service="others"):
        extra: int = 1

    environment.setenv("OTHERS_DATABASE_URL", "postgresql://others@127.0.0.1/others")
    assert load(Others).database_url.endswith("/others")
    assert load(Settings).database_url.endswith("/kit")
    assert (Others.service, Settings.service) == ("others", "kit")


def test_a_value_may_stand_in_a_file_instead_and_the_environment_wins(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    environment.setenv("LIANHU_SECRETS_DIRECTORY", str(tmp_path))
    environment.delenv("KIT_DATABASE_URL")
    (tmp_path / "KIT_DATABASE_URL").write_text("postgresql://kit_api:of-the-file@127.0.0.1/kit\n")
    (tmp_path / "KIT_EXTRA").write_text("7")
    found = load(Settings)
    assert (found.database_url, found.extra) == ("postgresql://kit_api:of-the-file@127.0.0.1/kit", 5)
