"""A village in a form of the desk: by its code, or by its name as people search for it."""

from typing import Any

from lianhu_kit.database import Database
from lianhu_web.faults import Faults
from lianhu_web.visiting import Visitor
from lianhu_web.words import N_
from requests_service.queries.finding import Found, find_units
from requests_service.web.desk.forms import MoveForm

NONE_FOUND = N_("No village has this name. Type part of it, its pinyin, or its 12 digits.")
SEVERAL_FOUND = N_("Several villages have this name: %(found)s. Give the 12 digits of the one.")
NAMED = 5  # how many of several are named: a sentence, not a list


async def put_codes(database: Database, form: MoveForm, body: dict[str, Any], visitor: Visitor) -> Faults:
    """Puts the code in the place of each village's name in the body; what no or several villages have is a fault."""
    faults: Faults = {}
    for field in form.fields:
        words = str(body.get(field.name, ""))
        if field.kind != "village" or not words or words.isdigit():
            continue
        async with database.transaction() as session:
            found = await find_units(session, words)
        exact = [unit for unit in found if unit.name == words] or found
        if len(exact) == 1:
            body[field.name] = exact[0].code
        else:
            told = visitor.say(SEVERAL_FOUND) % {"found": _named(exact)} if exact else visitor.say(NONE_FOUND)
            faults[field.name] = told
    return faults


def _named(found: list[Found]) -> str:
    return ", ".join(f"{unit.name} {unit.code} ({''.join(unit.above[:1])})" for unit in found[:NAMED])
