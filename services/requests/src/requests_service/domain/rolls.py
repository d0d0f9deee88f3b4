"""Lines of lists as records: what a line of each kind says, and what is wrong with it before anybody looks it up."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Any
from uuid import UUID

from requests_service.domain.list_faults import Fault
from requests_service.domain.phones import normal_phone
from requests_service.domain.sheets import Row

ROLE_NAMES: Mapping[str, str] = {
    "居民": "resident", "志愿者": "volunteer", "网格员": "grid_worker", "网格长": "grid_leader",
    "支部书记": "branch_secretary", "小区党支部书记": "branch_secretary", "村干部": "clerk", "接单员": "clerk",
    "督导": "supervisor", "镇街督导": "supervisor", "接入方": "integrator", "运维": "operator", "管理员": "admin",
}  # fmt: skip
ROLES = tuple(dict.fromkeys(ROLE_NAMES.values()))
_LENGTHS = (2, 4, 6, 9, 12, 15, 17)
_BETWEEN = re.compile(r"[;；,，、\s]+")
_YES = {"是", "yes", "y", "true", "1", "在用", "启用"}
_NO = {"否", "no", "n", "false", "0", "停用"}
_ROUNDED = re.compile(r"[0-9][.0-9]*[eE]\+?[0-9]+")
MOST_ROLES = MOST_SKILLS = 30


@dataclass
class Draft:
    """A line on its way into the directory.

    `given` are the values that the list has for it; `mark` tells lines apart within the list; then, once looked up,
    `key` is the record's, `before` how it stands (None: new) and `after` how it would stand.
    """

    line: int
    given: dict[str, Any]
    faults: list[Fault]
    mark: str = ""
    tenant: str = ""
    key: str = ""
    before: dict[str, Any] | None = None
    after: dict[str, Any] = field(default_factory=dict)

    @property
    def status(self) -> str:
        """`wrong`, `new`, `changed` or `same`."""
        if self.faults:
            return "wrong"
        if self.before is None:
            return "new"
        return "same" if self.before == self.after else "changed"

    def wrong(self, code: str, column: str = "", **values: Any) -> None:
        """Notes a fault."""
        self.faults.append(Fault(code, column, values))


def draft_of(kind: str, row: Row, at: str) -> Draft:
    """What a line of a list says, with everything that is wrong with it by itself; `at` is the admin's place."""
    draft = Draft(row.line, {}, list(row.faults))
    bad = {fault.column for fault in row.faults}
    _READERS[kind](draft, {name: cell for name, cell in row.cells.items() if name not in bad}, at)
    return draft


def mark_twice(drafts: list[Draft]) -> None:
    """Finds lines that are about the same thing as an earlier one."""
    first: dict[str, int] = {}
    for draft in drafts:
        for mark in {draft.mark, draft.key} - {""}:
            line = first.setdefault(mark, draft.line)
            if line != draft.line and not any(fault.code == "twice" for fault in draft.faults):
                draft.wrong("twice", line=line)


def _line(draft: Draft, cells: Mapping[str, str], name: str, most: int, *, needed: bool = False) -> str | None:
    text = cells.get(name, "")
    if not text:
        if needed and not any(fault.column == name for fault in draft.faults):
            draft.wrong("needed", name)
        return None
    if len(text) > most:
        draft.wrong("long", name, most=most)
        return None
    if len(text.splitlines()) > 1:
        draft.wrong("one-line", name)
        return None
    return text


def _code(draft: Draft, cells: Mapping[str, str], name: str, at: str, *digits: int) -> str | None:
    """A division code under the admin's place, of one of these lengths."""
    text = unicodedata.normalize("NFKC", cells.get(name, "")).replace(" ", "")
    if not text:
        return None
    if _ROUNDED.fullmatch(text):
        draft.wrong("code-rounded", name)
    elif not (text.isascii() and text.isdigit() and len(text) in _LENGTHS):
        draft.wrong("code", name)
    elif digits and len(text) not in digits:
        draft.wrong("code-digits", name, digits=" / ".join(map(str, digits)))
    elif not text.startswith(at):
        draft.wrong("outside", name, at=at)
    else:
        return text
    return None


def _id(draft: Draft, cells: Mapping[str, str], name: str = "id") -> str | None:
    text = cells.get(name, "")
    if not text:
        return None
    try:
        return str(UUID(text))
    except ValueError:
        draft.wrong("id", name)
        return None


def _phone(draft: Draft, cells: Mapping[str, str], name: str) -> str | None:
    text = cells.get(name, "")
    if not text:
        return None
    try:
        if len(text) > 40:
            raise ValueError(name)
        return normal_phone(text)
    except ValueError:
        draft.wrong("phone", name)
        return None


def _unit(draft: Draft, cells: Mapping[str, str], at: str, digits: tuple[int, ...] = ()) -> None:
    code = _code(draft, cells, "code", at, *digits)
    if code is None and not any(fault.column == "code" for fault in draft.faults):
        draft.wrong("needed", "code")
    draft.given = {"code": code, "name": _line(draft, cells, "name", 100, needed=True)}
    draft.mark = draft.key = code or ""
    draft.tenant = (code or "")[:12]


def _place(draft: Draft, cells: Mapping[str, str], at: str, parts: tuple[str, ...]) -> None:
    """The village of a line, named or following from its grid or group, and these."""
    village = _code(draft, cells, "village", at, *((12,) if "group" in parts or not parts else ()))
    lengths = {"grid": 15, "group": 17}
    for name in parts:
        if name not in cells:
            continue
        code = _code(draft, cells, name, at, lengths[name])
        if code and village and not code.startswith(village):
            draft.wrong("elsewhere", name)
        draft.given["group_code" if name == "group" else name] = code
        village = village or (code[:12] if code else None)
    if village and len(village) > 12:
        draft.wrong("code-digits", "village", digits="12")
        village = None
    if village is None and not draft.given.get("id") and not any(f.column == "village" for f in draft.faults):
        if len(at) == 12:
            village = at
        else:
            draft.wrong("needed", "village")
    draft.tenant = village or ""
    if village:
        draft.given["tenant"] = village


def _linking(draft: Draft, cells: Mapping[str, str]) -> None:
    """Who links it: an id, or a phone number to be looked up."""
    if "linking" not in cells:
        return
    text = cells["linking"]
    draft.given["linking"] = None
    if not text:
        return
    try:
        draft.given["linking"] = str(UUID(text))
    except ValueError:
        try:
            draft.given["linking"] = normal_phone(text[:41])
        except ValueError:
            draft.wrong("linking", "linking")


def _household(draft: Draft, cells: Mapping[str, str], at: str) -> None:
    draft.given["id"] = _id(draft, cells)
    _place(draft, cells, at, ("grid", "group"))
    if "code" in cells:
        draft.given["code"] = _line(draft, cells, "code", 40)
    if "address" in cells:
        draft.given["address"] = _line(draft, cells, "address", 200)
    _linking(draft, cells)
    if not draft.given["id"] and not draft.given.get("code") and not draft.faults:
        draft.wrong("household-name", "code")
    draft.mark = draft.given["id"] or (f"{draft.tenant}/{draft.given.get('code')}" if not draft.faults else "")


def _link(draft: Draft, cells: Mapping[str, str], at: str) -> None:
    named = _line(draft, cells, "household", 40, needed=True)
    try:
        draft.given["id"] = str(UUID(named or ""))
    except ValueError:
        draft.given["id"] = None
        draft.given["code"] = named
    _place(draft, cells, at, ())
    _linking(draft, cells)
    draft.mark = draft.given["id"] or f"{draft.tenant}/{named}" if named else ""


def _person(draft: Draft, cells: Mapping[str, str], at: str) -> None:
    draft.given["id"] = _id(draft, cells)
    _place(draft, cells, at, ("grid",))
    draft.given["name"] = _line(draft, cells, "name", 100, needed=True)
    if "phone" in cells:
        draft.given["phone"] = _phone(draft, cells, "phone")
    if "roles" in cells:
        draft.given["roles"] = _roles(draft, cells["roles"], at)
    if "skills" in cells:
        skills = list(dict.fromkeys(part for part in _BETWEEN.split(cells["skills"]) if part))
        if len(skills) > MOST_SKILLS:
            draft.wrong("too-many", "skills", most=MOST_SKILLS)
        elif any(len(skill) > 100 for skill in skills):
            draft.wrong("long", "skills", most=100)
        draft.given["skills"] = skills
    for name, reader in (("capacity", _capacity), ("checked_until", _day), ("active", _active)):
        if name in cells:
            draft.given[name] = reader(draft, unicodedata.normalize("NFKC", cells[name]))
    told = (draft.tenant, draft.given["name"] or "", draft.given.get("phone") or "")
    draft.mark = draft.given["id"] or ("/".join(told) if not draft.faults else "")


def _roles(draft: Draft, cell: str, at: str) -> list[dict[str, str | None]]:
    """Roles with their places; None is where the person belongs, which the line may leave to be looked up."""
    found: set[tuple[str, str | None]] = set()
    for part in filter(None, _BETWEEN.split(unicodedata.normalize("NFKC", cell))):
        named, _, place = part.partition("@")
        role = ROLE_NAMES.get(named, named.casefold())
        if role not in ROLES:
            draft.wrong("role", "roles", role=named[:20], roles="、".join(ROLES))
            continue
        if not place and role != "resident":
            if not draft.tenant and not draft.given["id"]:
                draft.wrong("role-place", "roles", role=named)
            found.add((role, draft.tenant or None))
            continue
        if place and not (place.isascii() and place.isdigit() and len(place) in _LENGTHS):
            draft.wrong("code", "roles")
        elif place and not place.startswith(at):
            draft.wrong("outside", "roles", at=at)
        found.add((role, place))
    if len(found) > MOST_ROLES:
        draft.wrong("too-many", "roles", most=MOST_ROLES)
    return [{"role": role, "at": place} for role, place in sorted(found, key=str)]


def _capacity(draft: Draft, cell: str) -> int | None:
    if not cell:
        return None
    if not (cell.isascii() and cell.isdigit() and len(cell) <= 3 and int(cell) <= 100):
        draft.wrong("capacity", "capacity")
        return None
    return int(cell)


def _day(draft: Draft, cell: str) -> str | None:
    if not cell:
        return None
    try:
        found = date.fromisoformat(cell.replace("/", "-").replace(".", "-"))
    except ValueError:
        draft.wrong("day", "checked_until")
        return None
    if not 1900 <= found.year <= 9000:
        draft.wrong("day", "checked_until")
    return found.isoformat()


def _active(draft: Draft, cell: str) -> bool:
    told = cell.casefold()
    if told and told not in _YES | _NO:
        draft.wrong("yes-or-no", "active")
    return told not in _NO


_READERS: Mapping[str, Callable[[Draft, Mapping[str, str], str], None]] = {
    "units": _unit,
    "groups": partial(_unit, digits=(17,)),
    "households": _household,
    "linking": _link,
    "people": _person,
}
