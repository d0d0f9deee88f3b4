"""The front page: emergency numbers first, then where things are."""

import base64
import hashlib
from functools import cache
from importlib.resources import files

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, select_autoescape

from lianhu_kit.access import public

router = APIRouter(include_in_schema=False)


@cache
def _page() -> tuple[str, str]:
    """The page, and the policy that allows its own style and nothing else."""
    style = files("requests_service").joinpath("web/templates/front.css").read_text("utf-8")
    loader = PackageLoader("requests_service", "web/templates")
    template = Environment(loader=loader, autoescape=select_autoescape()).get_template("front.html")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return template.render(style=style), policy


@router.get("/", dependencies=[public()])
async def front() -> HTMLResponse:
    """Where things are, in Chinese and English; needs nothing from outside."""
    page, policy = _page()
    return HTMLResponse(page, headers={"Content-Security-Policy": policy})
