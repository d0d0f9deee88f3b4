"""Pages of a service: templates over one layout, files that the browser keeps, answers with their headers."""

import base64
import gzip
import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from importlib.resources import files
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.routing import APIRoute
from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined, select_autoescape
from starlette.exceptions import HTTPException

from lianhu_kit.problems import Problem, Unauthenticated
from lianhu_web import showing
from lianhu_web.guarding import ONCE_FIELD, TOKEN_FIELD, new_once
from lianhu_web.icons import ICONS
from lianhu_web.visiting import Needs, Renewal, SignInFirst, Visitor, own_path, visitor_of
from lianhu_web.words import LANGUAGES, catalogues

# Nothing inline, nothing from elsewhere. Forms need a Referrer-Policy that lets the browser send Origin.
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; font-src 'self'; manifest-src 'self'; worker-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",
    "Content-Language": "",
}
# In the page itself: one file less to ask for.
_MARK = (
    "data:image/svg+xml;base64,"
    + base64.b64encode(files("lianhu_web").joinpath("static/mark.svg").read_bytes()).decode()
)
_KINDS = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".txt": "text/plain"}


class Static:
    """Files that never change under their address: it carries a checksum of what is in them."""

    def __init__(self, packages: Sequence[tuple[str, str]], prefix: str) -> None:
        self._prefix = prefix
        self._files: dict[str, tuple[bytes, bytes, str]] = {}
        for package, folder in packages:
            root = files(package).joinpath(folder)
            if not root.is_dir():
                continue
            for file in root.iterdir():
                suffix = "." + file.name.rsplit(".", 1)[-1]
                if suffix in _KINDS:
                    content = file.read_bytes()
                    self._files[file.name] = content, gzip.compress(content, mtime=0), _KINDS[suffix]
        self._sums = {name: hashlib.sha256(content).hexdigest()[:12] for name, (content, _, _) in self._files.items()}

    def address(self, name: str) -> str:
        """Where a page finds the file; KeyError for a file that there is none of."""
        return f"{self._prefix}/{name}?v={self._sums[name]}"

    async def answer(self, request: Request, name: str) -> Response:
        """The file, packed where the browser can unpack it; kept for a year only under its checksum."""
        if name not in self._files:
            raise HTTPException(404)
        content, packed, kind = self._files[name]
        exact = request.query_params.get("v") == self._sums[name]
        headers = {
            "Cache-Control": "public, max-age=31536000, immutable" if exact else "no-cache",
            "Vary": "Accept-Encoding",
            "Content-Type": f"{kind}; charset=utf-8",
        }
        if "gzip" in request.headers.get("accept-encoding", ""):
            return Response(packed, headers={**headers, "Content-Encoding": "gzip"})
        return Response(content, headers=headers)


class Pages:
    """The pages of one service.

    `package` is the service's; its templates lie in `web/templates`, its Chinese in `web/words`, its own files in
    `web/static`. `prefix` is a path of this service's own, under which it serves the files of all pages: a page does
    not need another service to look right.
    """

    def __init__(self, package: str, *, prefix: str, timezone: str) -> None:
        self.words = catalogues(package)
        self.zone = ZoneInfo(timezone)
        self.static = Static([("lianhu_web", "static"), (package, "web/static")], f"{prefix}/static")
        self._prefix = prefix
        loader = ChoiceLoader([PackageLoader(package, "web/templates"), PackageLoader("lianhu_web", "templates")])
        self._environments = {language: self._environment(loader, language) for language in LANGUAGES}

    def _environment(self, loader: ChoiceLoader, language: str) -> Environment:
        made = Environment(
            loader=loader,
            autoescape=select_autoescape(),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=["jinja2.ext.i18n"],
        )
        install = getattr(made, "install_gettext_translations")  # added by the extension  # noqa: B009
        install(self.words[language], newstyle=True)
        made.filters.update(showing.filters(self.zone, language))
        made.globals.update(
            static=self.static.address,
            mark=_MARK,
            ROLES=showing.ROLES,
            STATUSES=showing.STATUSES,
            DOORS=showing.DOORS,
            icons=ICONS,
        )
        return made

    def render(self, visitor: Visitor, template: str, **values: Any) -> str:
        """A template as text, with what every template may use: `visitor`, `now`, `clock`, `once`, `label`."""
        now = datetime.now(UTC)
        words = visitor.words
        return (
            self._environments[visitor.language]
            .get_template(template)
            .render(
                visitor=visitor,
                path=own_path(visitor.request.url.path, "/"),
                now=now,
                clock=partial(showing.clock, now=now, language=visitor.language, words=words),
                once=new_once,
                label=visitor.say,
                TOKEN_FIELD=TOKEN_FIELD,
                ONCE_FIELD=ONCE_FIELD,
                **values,
            )
        )

    def show(self, visitor: Visitor, template: str, status: int = 200, **values: Any) -> Response:
        """A page."""
        headers = {**HEADERS, "Content-Language": visitor.language}
        return visitor.dress(HTMLResponse(self.render(visitor, template, **values), status, headers=headers))

    def go(self, visitor: Visitor, path: str) -> Response:
        """On to another page after a form was taken, so that a reload does not send it again (RFC 9110, 15.4.4)."""
        return visitor.dress(RedirectResponse(own_path(path, "/"), 303, headers=HEADERS))

    def download(self, visitor: Visitor, content: bytes, kind: str, name: str) -> Response:
        """A file to keep; `name` is plain ASCII."""
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return visitor.dress(Response(content, media_type=kind, headers=headers))

    def install(self, app: FastAPI, routers: Sequence[APIRouter], renewal: Renewal) -> None:
        """Adds the pages to a service: routes, files, and errors that are pages where a browser asks."""
        app.state.pages = self
        app.state.renewal = renewal
        app.state.show_problem = self.problem
        files_router = APIRouter(include_in_schema=False)
        files_router.add_api_route(f"{self._prefix}/static/{{name}}", self.static.answer, methods=["GET"])
        app.include_router(files_router)  # first: a page with a name in its address must not catch a file
        for router in routers:
            _refuse_undeclared(router)
            app.include_router(router)
        app.add_exception_handler(SignInFirst, self._sign_in_first)

    async def problem(self, request: Request, problem: Problem) -> Response | None:
        """An error as a page, where a browser asked for one; None where somebody called the API."""
        if not wants_page(request):
            return None
        visitor = await visitor_of(request)
        return self._problem_page(visitor, problem)

    def _problem_page(self, visitor: Visitor, problem: Problem) -> Response:
        answer = self.show(
            visitor, "problem.html", problem.status, problem=problem, reference=problem.body()["request_id"]
        )
        for name, value in problem.headers.items():
            answer.headers[name] = value
        return answer

    async def _sign_in_first(self, request: Request, _error: Exception) -> Response:
        """Off to sign in and back again; for a form whose session ended, a page that says that nothing is lost."""
        visitor = await visitor_of(request)
        if request.method == "GET" and "hx-request" not in request.headers:
            back = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            return visitor.dress(RedirectResponse(f"/sign-in?{urlencode({'next': own_path(back, '/')})}", 303))
        return self._problem_page(visitor, Unauthenticated("Sign in again; what you typed is kept on this device."))


def wants_page(request: Request) -> bool:
    """Whether an answer is a page: a browser asks, and not for a part of the API."""
    first = request.url.path.split("/")[1]
    if first in {"v1", "auth", "internal", "open311", "healthz", "readyz", "metrics"}:
        return False
    return "text/html" in request.headers.get("accept", "") or "hx-request" in request.headers


def _refuse_undeclared(router: APIRouter) -> None:
    """Deny by default: a page that does not say for whom it is stops the service at start."""
    for route in router.routes:
        if isinstance(route, APIRoute) and not any(
            isinstance(dependency.call, Needs) for dependency in route.dependant.dependencies
        ):
            raise RuntimeError(f"{route.path} says not for whom it is: add needs(…) or anyone()")


def pages_of(request: Request) -> Pages:
    """The pages of the service that answers."""
    pages: Pages = request.app.state.pages
    return pages
