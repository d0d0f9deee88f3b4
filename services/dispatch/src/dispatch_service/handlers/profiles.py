"""A volunteer's own profile: skills, capacity, absence."""

from datetime import datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from dispatch_service.handlers.directory import look_again
from dispatch_service.tables import Volunteer
from lianhu_kit.database import now


async def set_profile(
    session: AsyncSession,
    volunteer: Volunteer,
    *,
    skills: list[str],
    capacity: int,
    away_until: datetime | None,
) -> None:
    """Sets the whole profile of a locked volunteer; from now on it is this service's, not the directory's."""
    volunteer.skills = skills
    volunteer.capacity = capacity
    volunteer.away_until = away_until
    volunteer.profile_set_at = now(session)
    look_again(session, volunteer.tenant)
