"""Messages to phones, what a gateway answers, and what a person chooses and sees of what was brought."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from integration.notifications.outward import VOICE, House, Town
from lianhu_kit.identifiers import new_id
from notifications_service.domain.choices import Channel
from notifications_service.handlers.phone import FileProvider, GatewayProvider, PhoneCarrier
from support.browsing import Person
from support.people import bearer
from support.places import village


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (httpx.Response(200), ("sent", None)),
        (httpx.Response(400), ("failed", "refused")),
        (httpx.Response(429), ("due", None)),
        (httpx.Response(503), ("due", None)),
        (httpx.ConnectError("nobody"), ("due", None)),
        (httpx.ReadTimeout("no answer"), ("failed", "unknown")),
    ],
)
async def test_what_a_gateway_answers_decides(
    town: Town, answer: httpx.Response | Exception, state: tuple[str, str | None]
) -> None:
    seen: list[bytes] = []

    def gateway(request: httpx.Request) -> httpx.Response:
        seen.append(request.content)
        if isinstance(answer, Exception):
            raise answer
        return answer

    person = town.person(phone="19000000001")
    await town.tell(person)
    carrier = PhoneCarrier(GatewayProvider("https://messages.example/send", httpx.MockTransport(gateway)))
    assert await town.step(Channel.PHONE, carrier)
    assert not await town.step(Channel.PHONE, carrier)
    [row] = await town.outward(person)
    assert (row["state"], row["reason"]) == state
    assert len(seen) == 1


async def test_a_person_sees_what_was_brought_to_them_and_nobody_else_does(town: Town, tmp_path: Path) -> None:
    person = town.person(phone="19000000001")
    await town.tell(person)
    await town.step(Channel.PHONE, PhoneCarrier(FileProvider(tmp_path)))
    http, code = town.house.http, town.code
    mine = await http.get("/v1/deliveries/mine", headers=bearer("resident", code, person))
    assert [(one["channel"], one["state"]) for one in mine.json()["items"]] == [("phone", "sent")]
    other = await http.get("/v1/deliveries/mine", headers=bearer("resident", code, new_id()))
    assert other.json()["items"] == []
    assert (await http.get("/v1/deliveries/mine")).status_code == 401
    # A desk's list shows its village, not what its clerk was told elsewhere.
    listed = await http.get("/v1/deliveries", headers=bearer("clerk", village(), person))
    assert listed.json()["items"] == []


async def test_choices_are_kept_by_channel_and_wrong_ones_refused(town: Town) -> None:
    person, code = town.person(), town.code
    await town.choose(person, mail={"questions": "morning"})
    await town.choose(person, phone={"offers": "off"})
    headers = bearer("resident", code, person)
    kept = (await town.house.http.get("/v1/preferences", headers=headers)).json()
    assert (kept["choices"]["mail"]["questions"], kept["choices"]["phone"]["offers"]) == ("morning", "off")
    assert kept["choices"]["phone"]["questions"] == "now"
    wrongs: list[dict[str, Any]] = [{"pigeon": {}}, {"mail": {"gossip": "now"}}, {"mail": {"questions": "hourly"}}]
    for wrong in wrongs:
        body = {"locale": "en", "choices": wrong}
        assert (await town.house.http.put("/v1/preferences", headers=headers, json=body)).status_code == 422


async def test_the_pages_show_what_is_chosen_and_what_was_brought(house: House, tmp_path: Path) -> None:
    town = Town(house)
    person = town.person(phone="19000000001")
    house.app.state.voice = VOICE
    visitor = Person(house.http, [("resident", "")], person)
    page = await visitor.get("/preferences")
    assert "By mail" in page.text
    page = await visitor.send("/preferences", **{"mail-questions": "morning", "phone-questions": "off", "locale": "en"})
    assert "Kept" in page.text
    await town.tell(person, template="visit-off", purpose="visit")
    await town.step(Channel.PHONE, PhoneCarrier(FileProvider(tmp_path)))
    page = await visitor.get("/inbox/brought")
    assert "Somebody is coming" in page.text
    assert "sent" in page.text
    page = await visitor.get("/preferences")
    wrong = await visitor.post(
        "/preferences", **page.form("/preferences").fields | {"phone-offers": "hourly", "locale": "en"}
    )
    assert wrong.status == 422
    kept = await house.http.get("/v1/preferences", headers=bearer("resident", town.code, person))
    assert kept.json()["choices"]["mail"]["questions"] == "morning"


async def test_who_was_brought_nothing_reads_what_will_stand_there(house: House) -> None:
    page = await Person(house.http, [("resident", "")], new_id()).get("/inbox/brought")
    assert 'class="empty"' in page.html
