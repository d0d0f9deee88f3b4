"""What the worker measures of this service's own."""

from sqlmodel.ext.asyncio.session import AsyncSession

from lianhu_kit import metrics
from requests_service.queries.ages import ages

SERVICE = "requests"


async def measure(session: AsyncSession) -> None:
    """Requests that are not over, by status: how many, and the age of the oldest."""
    clock, found = await ages(session)
    for status, (count, oldest) in found.items():
        metrics.REQUESTS_OPEN.labels(SERVICE, status.value).set(count)
        age = (clock - oldest).total_seconds() if oldest is not None else 0
        metrics.REQUESTS_AGE.labels(SERVICE, status.value).set(max(0.0, age))
