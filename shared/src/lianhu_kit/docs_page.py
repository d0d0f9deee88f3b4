"""`/docs`: the page that shows a service's calls, with a policy that names the one script that it carries."""

import base64
import hashlib
import re

from fastapi import APIRouter, Request
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse

# Where FastAPIOffline mounts the page's files.
FILES = "/static-offline-docs"
_INLINE = re.compile(rb"<script>(.*?)</script>", re.DOTALL)


def routes(title: str) -> APIRouter:
    """The page. Its one inline script starts it with the address of the document, and is allowed by its own hash."""
    router = APIRouter(include_in_schema=False)

    @router.get("/docs")
    async def docs(request: Request) -> HTMLResponse:
        root = request.scope.get("root_path", "")
        page = get_swagger_ui_html(
            openapi_url=f"{root}/openapi.json",
            title=title,
            oauth2_redirect_url=None,
            swagger_js_url=f"{root}{FILES}/swagger-ui-bundle.js",
            swagger_css_url=f"{root}{FILES}/swagger-ui.css",
            swagger_favicon_url=f"{root}{FILES}/favicon.png",
        )
        page.headers["Content-Security-Policy"] = policy(bytes(page.body))
        return page

    return router


def policy(page: bytes) -> str:
    """What the page may load: its own files and document, and just the inline scripts that it has.

    Inline styles are allowed here and nowhere else: the page's library sets them on the elements that it draws.
    """
    hashes = [base64.b64encode(hashlib.sha256(found).digest()).decode() for found in _INLINE.findall(page)]
    scripts = " ".join(["'self'", *(f"'sha256-{digest}'" for digest in hashes)])
    return (
        f"default-src 'none'; script-src {scripts}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
