"""The catalogue that comes with Lianhu: well-formed, and good for whoever does not know what to choose."""

from requests_service.api.directory import ServiceBody
from requests_service.handlers.directory import default_catalogue

NAMED = {"housekeeping", "appliance-repair", "legal-advice", "jobs", "medical-care", "public-security"}


def test_every_entry_is_what_the_api_would_take() -> None:
    for entry in default_catalogue():
        body = ServiceBody.model_validate({**entry, "tenant": "441702008"})
        assert body.model_dump(mode="json", exclude={"tenant"}).items() >= {"code": entry["code"]}.items()
        assert all(question.label_en for question in body.questions)
        assert body.name_en


def test_twelve_convenience_services_six_of_them_named() -> None:
    codes = {entry["code"] for entry in default_catalogue() if entry["kind"] == "convenience"}
    assert len(codes) == 12
    assert codes > NAMED


def test_the_first_asks_nothing_and_volunteers_do_it() -> None:
    first = default_catalogue()[0]
    assert not any(question.get("required") for question in first["questions"])
    assert (first["guardian_consent"], first["skill"], first["route_default"]) == (False, None, "volunteers")
    assert [entry["position"] for entry in default_catalogue()] == list(range(1, len(default_catalogue()) + 1))
