"""The first page: emergency numbers, then the few things that a resident comes for."""

from typing import Annotated

from fastapi import APIRouter, Request, Response

from lianhu_web.pages import pages_of
from lianhu_web.visiting import Visitor, anyone

router = APIRouter(include_in_schema=False)


@router.get("/")
async def front(request: Request, visitor: Annotated[Visitor, anyone()]) -> Response:
    """Place an order, follow one, see what the village offers; who is signed in finds their doors in the bar."""
    return pages_of(request).show(visitor, "front.html")
