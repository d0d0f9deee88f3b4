"""Settings of this service; the shared ones are the kit's."""

from pydantic import Field

from lianhu_kit.settings import ServiceSettings


class Settings(ServiceSettings, service="notifications"):
    """What the notifications service is told by its environment."""

    stream_seconds: int = Field(
        default=900, ge=1, le=3600, description="how long an inbox stream lasts, as a token does: 900"
    )
