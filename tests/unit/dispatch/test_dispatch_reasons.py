"""Why somebody was offered an assignment."""

from datetime import date
from uuid import UUID

import pytest

from dispatch_service.domain.eligibility import Candidate, Need
from dispatch_service.domain.ladder import AUDIENCES, Step
from dispatch_service.domain.reasons import offered_because, words

SOMEBODY = Candidate(UUID(int=1), True, frozenset({"volunteer"}), frozenset({"理发"}), 2, 5, None, date(2027, 1, 31))


def test_the_reason_names_the_circle_the_skill_the_load_and_the_check() -> None:
    need = Need("理发", minor=True, excluded=())
    reason = offered_because(Step.GRID, SOMEBODY, need, "441702008205001")
    assert words(reason, "zh-CN") == (
        "您在本网格 441702008205001；需要的技能您有：理发；您手上 2 件，上限 5 件；"
        "您的未成年人服务核查有效期至 2027-01-31。"
    )
    assert words(reason, "en-GB") == (
        "You are in its grid 441702008205001; it needs a skill that you have: 理发; you hold 2 of at most 5; "
        "your check for visits to minors is valid until 2027-01-31."
    )


@pytest.mark.parametrize("code", [*AUDIENCES, "by-name", "order"])
@pytest.mark.parametrize("locale", ["zh-CN", "en", "fr"])
def test_every_reason_has_words_in_every_language(code: str, locale: str) -> None:
    said = words({"code": str(code), "grid": "1"}, locale)
    assert said.endswith("." if locale == "en" else "。")
    assert "{" not in said


def test_an_ordinary_offer_says_nothing_of_skills_or_checks() -> None:
    reason = offered_because(Step.VILLAGE, SOMEBODY, Need(None, minor=False, excluded=()), None)
    assert reason == {"code": "village", "load": 2, "capacity": 5}
