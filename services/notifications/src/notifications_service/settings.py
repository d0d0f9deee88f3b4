"""Settings of this service; the shared ones are the kit's."""

from pathlib import Path

from pydantic import Field, SecretStr, ValidationInfo, field_validator

from lianhu_kit.settings import ServiceSettings


class Settings(ServiceSettings, service="notifications"):
    """What the notifications service is told by its environment."""

    requests_url: str = Field(
        default="http://127.0.0.1:8001",
        pattern=r"^https?://",
        description="where sign-ins are renewed and contact details are read, as in http://127.0.0.1:8001",
    )
    phone_gateway: str = Field(
        default="",
        pattern=r"^(file|https?://\S+)?$",
        repr=False,
        description="an address that takes {id, to, text} by POST and brings it to a phone, as in "
        "https://messages.example/send; `file` writes into the state directory; empty is none",
    )
    service_token: SecretStr = Field(
        default=SecretStr(""),
        description="a token of the role `service`, with which requests is asked how people are reached",
    )
    mail_server: str = Field(
        default="",
        pattern=r"^(file|smtps?://\S+)?$",
        repr=False,
        description="an SMTP server that takes mail, as in smtps://mail.example, or with user:password@ before it; "
        "`file` writes into the state directory; empty is none",
    )
    mail_from: str = Field(
        default="Lianhu <lianhu@localhost.localdomain>",
        pattern=r"^([^<>@\r\n]+<[^<>@\s]+@[^<>@\s]+>|[^<>@\s]+@[^<>@\s]+)$",
        description="who mail is from, as in Lianhu <lianhu@village.example>",
    )
    public_url: str = Field(
        default="",
        pattern=r"^(https?://\S+[^/])?$",
        description="where people open the pages, for links in mail, as in https://lianhu.example; empty is no links",
    )
    texts: Path | None = Field(
        default=None, description="a folder with units' own texts: <division code>/<zh-CN|en>.toml; empty is none"
    )
    stream_seconds: int = Field(
        default=900, ge=1, le=3600, description="how long an inbox stream lasts, as a token does: 900"
    )

    @field_validator("texts", mode="before")
    @classmethod
    def _none(cls, folder: str | Path | None) -> str | Path | None:
        return folder or None  # an empty variable names no folder, and not the one that the process stands in

    @field_validator("mail_server")
    @classmethod
    def _can_ask(cls, server: str, info: ValidationInfo) -> str:
        if server and not info.data["service_token"].get_secret_value():
            raise ValueError("it needs NOTIFICATIONS_SERVICE_TOKEN as well, to ask how people are reached")
        return server
