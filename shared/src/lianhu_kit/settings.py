"""Settings of a service: environment variables, read once at start, refused in one line that names the fault."""

import os
import re
import sys
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

_SHARED = {
    "kafka_bootstrap",
    "kafka_security",
    "kafka_mechanism",
    "kafka_username",
    "kafka_password",
    "kafka_authorities",
    "auth_issuer",
    "auth_jwks",
    "local",
    "locale",
    "timezone",
    "state_directory",
    "log_level",
    "keep_published_days",
    "keep_inbox_days",
    "keep_keys_days",
    "drain_seconds",
    "otlp_endpoint",
}

Given = TypeVar("Given", bound="BrokerSettings")
AnySettings = TypeVar("AnySettings", bound="ServiceSettings")


class BrokerSettings(BaseSettings):
    """What whoever talks to the broker is told.

    Shared values carry the prefix LIANHU_, all others the service's own, as in REQUESTS_DATABASE_URL.
    """

    model_config = SettingsConfigDict(extra="ignore", populate_by_name=True)
    service: ClassVar[str]

    kafka_bootstrap: str = Field(default="127.0.0.1:8092", description="as in 127.0.0.1:8092")
    kafka_security: Literal["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"] = Field(
        default="plaintext", description="plaintext, ssl, sasl_plaintext or sasl_ssl"
    )
    kafka_mechanism: Literal["plain", "scram-sha-256", "scram-sha-512"] = Field(
        default="scram-sha-512", description="how sasl_* proves who asks: plain, scram-sha-256 or scram-sha-512"
    )
    kafka_username: str = Field(default="", description="the broker's user, with sasl_* alone")
    kafka_password: SecretStr = Field(
        default=SecretStr(""), description="the password of the broker's user, with sasl_* alone"
    )
    kafka_authorities: str = Field(
        default="",
        description="a file with the certificates of those who sign the broker's, with *ssl alone; "
        "empty takes the machine's own",
    )

    def __init_subclass__(cls, service: str = "", **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if service:
            cls.service = service

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Gives every field the environment name that its service and its sharing imply."""
        super().__pydantic_init_subclass__(**kwargs)
        if not hasattr(cls, "service"):
            return
        for name, field in cls.model_fields.items():
            field.validation_alias = AliasChoices(_variable(cls.service, name), name)
        cls.model_rebuild(force=True)


class ServiceSettings(BrokerSettings):
    """What every service is told; a service adds fields of its own."""

    database_url: str = Field(
        pattern=r"^postgresql://",
        repr=False,
        description="as in postgresql://requests_api:secret@127.0.0.1:8032/requests",
    )
    database_pool: int = Field(default=10, ge=2, le=200, description="connections kept open, as in 10")
    auth_issuer: str = Field(default="lianhu", description="the `iss` of access tokens, as in lianhu")
    auth_jwks: str = Field(
        description="an address or a file with the key set, as in http://127.0.0.1:8001/auth/jwks.json"
    )
    local: bool = Field(default=False, description="true only on a developer's machine")
    locale: Literal["zh-CN", "en"] = Field(default="zh-CN", description="zh-CN or en")
    timezone: str = Field(default="Asia/Shanghai", description="an IANA name, as in Asia/Shanghai")
    state_directory: Path = Field(default=Path(".lianhu"), description="a folder that the service may write")
    log_level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="info")
    # How long what is kept by age: docs/operations.md says why so long, lianhu_kit.retention forgets it.
    keep_published_days: int = Field(
        default=400, ge=0, le=36500, description="days for which a topic can be filled again, as in 400; 0 is for ever"
    )
    keep_inbox_days: int = Field(default=30, ge=22, le=36500, description="longer than outsiders' topics, as in 30")
    keep_keys_days: int = Field(default=7, ge=7, le=365, description="days that idempotency keys hold, as in 7")
    drain_seconds: float = Field(
        default=3,
        ge=0,
        le=5,
        description="how long an API that was told to end still answers, while whoever shares out calls sees it not "
        "ready: some times as long as that one takes to look, as in 3; 0 where there is none",
    )
    otlp_endpoint: str = Field(
        default="",
        pattern=r"^(https?://\S+)?$",
        description="an OpenTelemetry collector that takes OTLP over HTTP, as in http://127.0.0.1:4318; empty is none",
    )
    host: str = Field(default="127.0.0.1", description="the address to listen on")
    port: int = Field(default=8000, ge=0, le=65535, description="a free port, as in 8001")
    worker_port: int = Field(default=0, ge=0, le=65535, description="the port of the worker's health answers")

    @field_validator("timezone")
    @classmethod
    def _known(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("no such time zone") from None
        return name


def _variable(service: str, name: str) -> str:
    return f"LIANHU_{name}".upper() if name in _SHARED else f"{service}_{name}".upper()


def load(settings: type[Given], *, broker: bool = False) -> Given:
    """Reads the settings from the environment; ends the process with one line per fault where they are not good.

    With `broker` the process talks to it, and needs a user and a password where it asks for them; an API does not.
    LIANHU_SECRETS_DIRECTORY may name a folder with values that shall not stand in the environment: one file a
    setting, named as its variable (as containers mount them). What the environment says wins.
    """
    try:
        read = settings(_secrets_dir=os.environ.get("LIANHU_SECRETS_DIRECTORY") or None)
    except ValidationError as error:
        for line in faults(settings, error):
            print(line, file=sys.stderr)
        sys.exit(2)
    except SettingsError as error:  # a list or an object that is no JSON; the message names the field alone
        print(f"{error}. A right value is JSON.", file=sys.stderr)
        sys.exit(2)
    if broker and read.kafka_security.startswith("sasl"):
        missing = [name for name in ("kafka_username", "kafka_password") if not getattr(read, name)]
        for name in missing:
            right = settings.model_fields[name].description
            print(f"{_variable(read.service, name)}: the broker asks for it. A right value: {right}", file=sys.stderr)
        if missing:
            sys.exit(2)
    return read


def faults(settings: type[BrokerSettings], error: ValidationError) -> list[str]:
    """One sentence per fault: the variable, what is wrong, what would be right; no value, since it may be secret."""
    lines = []
    for fault in error.errors(include_input=False):
        given = str(fault["loc"][0]) if fault["loc"] else ""
        name = re.sub(rf"^({settings.service}|lianhu)_", "", given, flags=re.IGNORECASE).lower()
        field: FieldInfo | None = settings.model_fields.get(name)
        right = field.description if field and field.description else "see .env.example"
        lines.append(f"{_variable(settings.service, name)}: {fault['msg']}. A right value: {right}")
    return lines
