"""Settings of dispatch."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from pydantic import Field

from lianhu_kit.settings import ServiceSettings


class Settings(ServiceSettings, service="dispatch"):
    """What dispatch is told beside the settings of every service."""

    requests_url: str = Field(
        default="http://127.0.0.1:8001",
        pattern=r"^https?://",
        description="where sign-ins are renewed and contact details are read, as in http://127.0.0.1:8001",
    )
    patience_seconds: float = Field(
        default=10,
        gt=0,
        le=3600,
        description="how long work waits for somebody whom the directory has not told of yet, as in 10",
    )

    def day(self, moment: datetime) -> date:
        """The day in the village at a moment."""
        return moment.astimezone(ZoneInfo(self.timezone)).date()
