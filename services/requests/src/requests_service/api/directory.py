"""Org units, catalogues, households: read by everybody, written by admins, up to 500 at a time."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field, StringConstraints, model_validator

from lianhu_kit.access import Access, permits, public
from lianhu_kit.api import Body, DivisionCode, Line, Page, Session, VillageCode, page_of
from lianhu_kit.database import enter_scope
from lianhu_kit.divisions import ancestors, level_of
from lianhu_kit.problems import FieldError, Invalid, NotFound
from requests_service.api.bodies import GridCode, Name, ServiceCode
from requests_service.api.doors import Zone
from requests_service.api.settings_body import UnitSettings
from requests_service.handlers import directory
from requests_service.queries import units

router = APIRouter(tags=["directory"])
Admin = Annotated[Access, permits("admin")]
UnitCode = Annotated[DivisionCode, StringConstraints(max_length=12)]
GroupCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{17}$")]
Seconds = Annotated[int, Field(ge=1, le=34_560_000)]


class UnitBody(Body):
    """An org unit; `level` and `parent` follow from the code, and are checked where they are given."""

    code: DivisionCode
    name: Name
    level: str | None = None
    parent: str | None = None
    settings: UnitSettings = Field(default_factory=UnitSettings)

    @model_validator(mode="after")
    def _lies_where_its_code_says(self) -> "UnitBody":
        parent = next(iter(ancestors(self.code)), None)
        if self.level not in (None, level_of(self.code)) or self.parent not in (None, parent):
            raise ValueError(f"the code says level {level_of(self.code)} and parent {parent}: leave both out")
        return self


class LimitBody(Body):
    """So many seconds, in working time or around the clock."""

    seconds: Seconds
    working: bool = False


class ConfirmLimitBody(Body):
    """How long the resident has to confirm."""

    seconds: Seconds


class LimitsBody(Body):
    """When somebody speaks with the resident, when it is done, how long the resident has to confirm."""

    contact: LimitBody
    finish: LimitBody
    confirm: ConfirmLimitBody


class ChoiceBody(Body):
    """One choice of a question."""

    code: ServiceCode
    label: Name
    label_en: Name | None = None


class QuestionBody(Body):
    """A question that an order of this service answers."""

    code: ServiceCode
    label: Line
    label_en: Line | None = None
    type: Literal["text", "choice", "number", "date", "bool"]
    required: bool = False
    choices: Annotated[list[ChoiceBody], Field(max_length=50)] = Field(default_factory=list)

    @model_validator(mode="after")
    def _choices_fit(self) -> "QuestionBody":
        if (self.type == "choice") != bool(self.choices):
            raise ValueError("a question of type choice has choices, and no other has")
        return self

    def keys_differ(self) -> bool:
        """Whether each choice has a key of its own."""
        return len({choice.code for choice in self.choices}) == len(self.choices)


class ServiceBody(Body):
    """A service that a unit offers to the villages under it."""

    tenant: UnitCode
    code: ServiceCode
    name: Name
    name_en: Name | None = None
    description: Annotated[str, StringConstraints(max_length=500)] = ""
    kind: Literal["convenience", "consultation", "errand", "visit", "public-issue", "class"]
    questions: Annotated[list[QuestionBody], Field(max_length=20)] = Field(default_factory=list)
    limits: LimitsBody
    guardian_consent: bool = False
    route_default: Literal["volunteers", "staff", "none"] = "volunteers"
    skill: Name | None = None
    places_default: Annotated[int, Field(ge=1, le=20)] = 1
    position: Annotated[int, Field(ge=0, le=10_000)] = 1000
    active: bool = True

    @model_validator(mode="after")
    def _keys_differ(self) -> "ServiceBody":
        codes = [question.code for question in self.questions]
        if len(set(codes)) != len(codes) or not all(question.keys_differ() for question in self.questions):
            raise ValueError("each question, and each choice of a question, needs a code of its own")
        return self


class HouseholdBody(Body):
    """A household; `code` is the village's own for it, `linking_person` the volunteer who looks after it."""

    id: UUID
    tenant: VillageCode
    grid: GridCode | None = None
    group: GroupCode | None = None
    code: Annotated[Line, StringConstraints(max_length=40)] | None = None
    address: Line | None = None
    linking_person: UUID | None = None

    @model_validator(mode="after")
    def _lies_in_village(self) -> "HouseholdBody":
        for code in (self.grid, self.group):
            if code and not code.startswith(self.tenant):
                raise ValueError("grid and group lie in the household's village")
        return self


class UnitsBody(Body):
    """Org units to add or change."""

    items: Annotated[list[UnitBody], Field(min_length=1, max_length=500)]


class ServicesBody(Body):
    """Services to add or change."""

    items: Annotated[list[ServiceBody], Field(min_length=1, max_length=500)]


class HouseholdsBody(Body):
    """Households to add or change."""

    items: Annotated[list[HouseholdBody], Field(min_length=1, max_length=500)]


class DefaultsBody(Body):
    """The unit whose catalogue the default one becomes."""

    at: UnitCode


async def enter_as_admin(session: Session, access: Access, codes: list[str]) -> None:
    """Enters the scope of the grant that covers all of these codes; NotFound where no single one does."""
    for grant in access.grants:
        if all(code.startswith(grant.at) for code in codes):
            await enter_scope(session, grant.scope, access.person)
            return
    raise NotFound()


def _code(value: str) -> str:
    level_of(value)
    return value


@router.get("/v1/org-units", dependencies=[public()])
async def org_units(session: Session, page: Page, under: DivisionCode) -> dict[str, Any]:
    """A unit and all under it, in the order of codes."""
    await enter_scope(session, "")
    place = page.place(_code)
    after = place[0] if place else None
    rows = await units.units_under(session, under, after, page.limit + 1)
    items = [{"code": row.code, "level": row.level, "name": row.name} for row in rows]
    return page_of(items, page.limit, [rows[page.limit - 1].code] if len(rows) > page.limit else None)


@router.get("/v1/services", dependencies=[public()])
async def services(session: Session, tenant: UnitCode) -> dict[str, Any]:
    """What a village offers, its own and inherited; the first is for whoever does not know what to choose."""
    await enter_scope(session, "")
    shown = ("code", "name", "name_en", "description", "kind", "questions", "limits", "guardian_consent")
    more = ("route_default", "skill", "places_default")
    rows = await units.catalogue_at(session, tenant)
    return {"items": [{name: getattr(row, name) for name in (*shown, *more)} for row in rows]}


@router.put("/v1/org-units")
async def put_org_units(body: UnitsBody, session: Session, access: Admin, zone: Zone) -> dict[str, Any]:
    """Adds or changes org units under the admin's code; settings are replaced as a whole."""
    await enter_as_admin(session, access, [item.code for item in body.items])
    for place, item in enumerate(body.items):
        if fault := item.settings.fault(item.code, zone):
            raise Invalid([FieldError(f"items.{place}.settings", fault)])
    rows = [
        {"code": item.code, "name": item.name, "settings": item.settings.model_dump(exclude_unset=True)}
        for item in body.items
    ]
    return {"changed": await directory.put_units(session, rows)}


@router.put("/v1/services")
async def put_services(body: ServicesBody, session: Session, access: Admin) -> dict[str, Any]:
    """Adds or changes services in the catalogues of units under the admin's code."""
    await enter_as_admin(session, access, [item.tenant for item in body.items])
    rows = [item.model_dump(mode="json") for item in body.items]
    return {"changed": await directory.put_services(session, rows)}


@router.put("/v1/services/defaults")
async def put_default_services(body: DefaultsBody, session: Session, access: Admin) -> dict[str, Any]:
    """Makes the catalogue that comes with Lianhu the one of a unit, so that all villages under it inherit it."""
    await enter_as_admin(session, access, [body.at])
    return {"changed": await directory.put_default_services(session, body.at)}


@router.put("/v1/households")
async def put_households(body: HouseholdsBody, session: Session, access: Admin) -> dict[str, Any]:
    """Adds or changes households of villages under the admin's code."""
    await enter_as_admin(session, access, [item.tenant for item in body.items])
    rows = [{**item.model_dump(exclude={"group"}), "group_code": item.group} for item in body.items]
    return {"changed": await directory.put_households(session, rows)}
