"""What the service is told: what is empty is none, and mail needs what it asks for addresses with."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from notifications_service.settings import Settings

BARE: dict[str, Any] = {"database_url": "postgresql://nobody@127.0.0.1/x", "auth_jwks": "x"}


def test_an_empty_folder_of_texts_is_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NOTIFICATIONS_TEXTS", "")
    assert Settings(**BARE).texts is None
    monkeypatch.setenv("NOTIFICATIONS_TEXTS", str(tmp_path))
    assert Settings(**BARE).texts == tmp_path


def test_mail_needs_a_token_to_ask_for_addresses_with() -> None:
    with pytest.raises(ValidationError, match="NOTIFICATIONS_SERVICE_TOKEN"):
        Settings(**BARE, mail_server="smtp://mail.example")
    Settings(**BARE, mail_server="smtp://mail.example", service_token="given")  # pragma: allowlist secret


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("mail_server", "mail.example"), ("mail_server", "http://mail.example"), ("mail_from", "nobody"),
        ("mail_from", "A <a@b>\r\nBcc: c@d"), ("public_url", "lianhu.example"), ("public_url", "https://lianhu.example/"),
        ("phone_gateway", "ftp://messages.example"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(name: str, wrong: str) -> None:
    given: dict[str, Any] = {**BARE, "service_token": "given", name: wrong}  # pragma: allowlist secret
    with pytest.raises(ValidationError):
        Settings(**given)
