"""Settings of the reporting service."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from pydantic import Field, field_validator

from lianhu_kit.settings import ServiceSettings


class Settings(ServiceSettings, service="reporting"):
    """What reporting is told on top of what every service is told."""

    satisfied_from: int = Field(default=3, ge=1, le=5, description="the lowest grade that counts as satisfied, as in 3")
    requests_url: str = Field(
        default="http://127.0.0.1:8001", pattern=r"^https?://", description="as in http://127.0.0.1:8001"
    )
    dispatch_url: str = Field(
        default="http://127.0.0.1:8002", pattern=r"^https?://", description="as in http://127.0.0.1:8002"
    )
    ask_seconds: float = Field(default=2.0, gt=0, le=30, description="the deadline of one call to a service, as in 2")
    settle_seconds: float = Field(
        default=3.0, ge=0, le=30, description="how long reconciliation waits for events under way, as in 3"
    )

    @field_validator("timezone")
    @classmethod
    def _known(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ValueError, OSError) as error:
            raise ValueError("no such time zone") from error
        return name

    @property
    def zone(self) -> ZoneInfo:
        """The zone that days are counted in."""
        return ZoneInfo(self.timezone)
