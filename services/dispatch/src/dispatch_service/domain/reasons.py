"""Why somebody was offered an assignment, in words: a code with its parameters is stored, the words are made here."""

from collections.abc import Mapping
from typing import Any

from dispatch_service.domain.eligibility import Candidate, Need
from dispatch_service.domain.ladder import Step

Reason = dict[str, Any]  # {"code": …, parameters}

_WORDS: dict[str, dict[str, str]] = {
    "zh-CN": {
        "linking_household": "您是这一户的联系户",
        "grid": "您在本网格 {grid}",
        "village": "这件事现在推送到全村",
        "by-name": "网格或村里点名请您去，去不去由您定",
        "order": "这是派给工作人员的任务",
        "skill": "需要的技能您有：{skill}",
        "load": "您手上 {load} 件，上限 {capacity} 件",
        "checked": "您的未成年人服务核查有效期至 {until}",
        "stop": "。",
        "comma": "；",
    },
    "en": {
        "linking_household": "You are this household's linking household",
        "grid": "You are in its grid {grid}",
        "village": "The whole village is asked now",
        "by-name": "The grid or the village asks you by name; you are free to pass",
        "order": "This is ordered to you as a member of staff",
        "skill": "it needs a skill that you have: {skill}",
        "load": "you hold {load} of at most {capacity}",
        "checked": "your check for visits to minors is valid until {until}",
        "stop": ".",
        "comma": "; ",
    },
}


def offered_because(step: Step, candidate: Candidate, need: Need, grid: str | None) -> Reason:
    """The reason for an offer in a wave: the circle, then the skill, the load and the check that counted."""
    reason: Reason = {"code": step.value, "load": candidate.load, "capacity": candidate.capacity}
    if step is Step.GRID:
        reason["grid"] = grid
    if need.skill is not None:
        reason["skill"] = need.skill
    if need.minor and candidate.checked_until is not None:
        reason["until"] = candidate.checked_until.isoformat()
    return reason


def words(reason: Mapping[str, Any], locale: str) -> str:
    """The reason as one sentence; zh-CN where the language is another."""
    language = _WORDS["en" if locale.lower().startswith("en") else "zh-CN"]
    parts = [language[reason["code"]]]
    parts += [language["skill"]] if "skill" in reason else []
    parts += [language["load"]] if "load" in reason else []
    parts += [language["checked"]] if "until" in reason else []
    return language["comma"].join(parts).format(**reason) + language["stop"]
