"""Settings of an org unit: inherited by everything under it, the nearest unit wins, key by key."""

from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import ConfigDict, Field, StringConstraints

from lianhu_kit.api import Body
from requests_service.api.bodies import GridCode
from requests_service.domain.limits import working_time

Seconds = Annotated[int, Field(ge=1, le=34_560_000)]
LocalTime = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]


class WaveSeconds(Body):
    """How long each wave of offers lasts, in seconds."""

    linking_household: Seconds | None = None
    grid: Seconds | None = None
    village: Seconds | None = None
    leader: Seconds | None = None


class UnitSettings(Body):
    """What a unit sets itself. Names that this service does not know are kept for those that do."""

    model_config = ConfigDict(extra="allow")

    wave_seconds: WaveSeconds | None = None
    confirm_seconds: Seconds | None = None
    reopen_contact_seconds: Seconds | None = None
    urgent_contact_seconds: Seconds | None = None
    urgent_finish_seconds: Seconds | None = None
    working_hours: Annotated[list[Annotated[list[LocalTime], Field(min_length=2, max_length=2)]], Field(max_length=6)] | None = None  # fmt: skip # noqa: E501
    working_days: Annotated[list[Annotated[int, Field(ge=1, le=7)]], Field(max_length=7)] | None = None
    always_working: bool | None = None
    default_grid: GridCode | None = None
    quiet_hours: Annotated[list[LocalTime], Field(max_length=2)] | None = None
    photos_kept_days: Annotated[int, Field(ge=1, le=3650)] | None = None
    label_set: Literal["default", "xijing", "yangjiang"] | None = None

    def fault(self, code: str, zone: ZoneInfo) -> str | None:
        """What makes no sense in a unit's settings; None where all does."""
        if self.default_grid and not self.default_grid.startswith(code):
            return "default_grid lies outside this unit. Name a grid of it."
        if self.quiet_hours and (len(self.quiet_hours) != 2 or self.quiet_hours[0] == self.quiet_hours[1]):
            return 'quiet_hours has two times, as in ["22:00", "07:00"], or none, so that it is never quiet.'
        try:
            working_time(self.model_dump(exclude_none=True), zone)
        except ValueError as error:
            return str(error)
        return None
