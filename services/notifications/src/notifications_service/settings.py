"""Settings of this service; the shared ones are the kit's."""

from pydantic import Field

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
    stream_seconds: int = Field(
        default=900, ge=1, le=3600, description="how long an inbox stream lasts, as a token does: 900"
    )
