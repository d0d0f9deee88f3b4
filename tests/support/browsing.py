"""A person in front of a page, without a browser: cookies, forms with their tokens, what stands on the page."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import httpx

from lianhu_web.visiting import session_cookie
from support.people import token_of


@dataclass
class Form:
    """One form of a page: where it goes, and what its fields hold before anybody types."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)


@dataclass
class Page:
    """A page as a program sees it."""

    status: int
    html: str
    location: str | None
    headers: httpx.Headers
    forms: list[Form]

    @property
    def text(self) -> str:
        """The words of the page, without its code."""
        bare = re.sub(r"<(script|style|option)\b.*?</\1>", " ", self.html, flags=re.DOTALL)
        return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", bare)).strip()

    def form(self, action: str) -> Form:
        """The form whose address ends so; one that changes something rather than one that looks."""
        found = [form for form in self.forms if form.action.endswith(action)]
        found.sort(key=lambda form: form.method.lower() != "post")
        assert found, f"no form for {action} among {[form.action for form in self.forms]}"
        return found[0]

    def has_form(self, action: str) -> bool:
        """Whether there is a form whose address ends so."""
        return any(form.action.endswith(action) for form in self.forms)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.forms: list[Form] = []
        self._select: str | None = None
        self._textarea: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(said.get("action", ""), said.get("method", "get")))
        if not self.forms:
            return
        fields, name = self.forms[-1].fields, said.get("name")
        if tag == "input" and name and said.get("type") not in ("radio", "checkbox", "submit", "file"):
            fields[name] = said.get("value", "")
        elif tag == "input" and name and said.get("type") in ("radio", "checkbox") and "checked" in said:
            fields[name] = said.get("value", "on")
        elif tag == "select" and name:
            self._select = name
        elif tag == "option" and self._select and ("selected" in said or self._select not in fields):
            fields[self._select] = said.get("value", "")
        elif tag == "textarea" and name:
            self._textarea = name
            fields[name] = ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._select = None
        elif tag == "textarea":
            self._textarea = None

    def handle_data(self, data: str) -> None:
        if self._textarea and self.forms:
            self.forms[-1].fields[self._textarea] += data


class Person:
    """Somebody who looks at pages; signed in where `roles` are given. `client` speaks to the service."""

    def __init__(
        self, client: httpx.AsyncClient, roles: list[tuple[str, str]] | None = None, person: Any = None,
        *, language: str = "en",
    ) -> None:  # fmt: skip
        self._client = client
        port = client.base_url.port or 80
        self.cookies: dict[str, str] = {}
        if roles is not None:
            secret = "invented-session"  # pragma: allowlist secret
            self.cookies[f"lianhu-{port}-session"] = session_cookie(secret, token_of(roles, person))
        self._language = language
        self.page: Page | None = None

    async def get(self, path: str, **params: Any) -> Page:
        """Opens a page."""
        return await self._send("GET", path, **({"params": params} if params else {}))

    async def send(self, action: str, files: Any = None, **fields: Any) -> Page:
        """Fills a form of the page that is open (found by the end of its address), sends it and follows it on."""
        assert self.page is not None
        form = self.page.form(action)
        data = {**form.fields, **{name: value for name, value in fields.items() if value is not None}}
        sent = await self._send(form.method.upper(), form.action, data=data, **({"files": files} if files else {}))
        return await self.get(sent.location) if sent.location else sent

    async def again(self, form: Form, files: Any = None, **fields: Any) -> Page:
        """Sends a form of a page that was open before."""
        return await self._send(
            form.method.upper(), form.action, data={**form.fields, **fields}, **({"files": files} if files else {})
        )

    async def post(self, path: str, **fields: Any) -> Page:
        """Sends a form as it is, without the page that it would come from."""
        return await self._send("POST", path, data=fields)

    async def _send(self, method: str, path: str, **more: Any) -> Page:
        headers = {
            "Accept": "text/html",
            "Accept-Language": self._language,
            "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
        }
        answer = await self._client.request(method, path, headers=headers, follow_redirects=False, **more)
        for set_cookie in answer.headers.get_list("set-cookie"):
            name, _, rest = set_cookie.partition("=")
            value = rest.split(";")[0].strip('"')
            if not value or "max-age=0" in set_cookie.lower():
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value
        self._client.cookies.clear()
        reader = _Forms()
        reader.feed(answer.text)
        self.page = Page(answer.status_code, answer.text, answer.headers.get("location"), answer.headers, reader.forms)
        return self.page
