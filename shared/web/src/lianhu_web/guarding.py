"""Forms that are ours: an unsafe call to a page comes from a page of ours and carries its token."""

from collections.abc import Mapping
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request
from starlette.datastructures import FormData

from lianhu_kit.identifiers import new_id
from lianhu_kit.problems import Forbidden
from lianhu_web.visiting import visitor_of

Fields = FormData  # what a form holds, as pages name it
TOKEN_FIELD = "form_token"  # noqa: S105 - the name of a field
TOKEN_HEADER = "x-form-token"  # noqa: S105 - the name of a header
ONCE_FIELD = "once"


class NotOurForm(Forbidden):
    """The form is not ours, or too old."""

    def __init__(self) -> None:
        super().__init__("This form is too old or came from elsewhere. Open the page again and repeat.", "not-our-form")


async def _guarded(request: Request) -> FormData:
    """The fields of a form that was sent from a page of ours; NotOurForm for every other.

    Origin is compared where the browser sends one (WHATWG Fetch, 3.2), and the token always.
    """
    origin = request.headers.get("origin")
    own = f"{request.url.scheme}://{request.headers.get('host', '')}"
    if (origin is not None and origin != own) or request.headers.get("sec-fetch-site") == "cross-site":
        raise NotOurForm()
    visitor = await visitor_of(request)
    if "form" in visitor.fresh:  # no proof came with the call: nobody can have sent a page's token
        raise NotOurForm()
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    form = FormData() if kind == "application/json" else await request.form(max_files=5, max_fields=500)
    if (request.headers.get(TOKEN_HEADER) or form.get(TOKEN_FIELD)) != visitor.form_token:
        raise NotOurForm()
    return form


Guarded = Annotated[FormData, Depends(_guarded)]


def new_once() -> str:
    """A value for a form's hidden field `once`: who sends the same form twice has done it once."""
    return str(new_id())


def once_of(form: Mapping[str, object]) -> str:
    """The form's own id, a new one where it has none that counts."""
    given = form.get(ONCE_FIELD)
    try:
        return str(UUID(str(given)))
    except ValueError:
        return new_once()


def text_of(form: Mapping[str, object], name: str) -> str | None:
    """A field's text without the blanks around it; None where it is empty or no text."""
    value = form.get(name)
    return (value.strip() or None) if isinstance(value, str) else None


def fields_of(form: FormData, *names: str) -> dict[str, str]:
    """The named fields that hold something; what is empty in a form is absent in a command."""
    return {name: value for name in names if (value := text_of(form, name)) is not None}
