"""The names that villages have for moves and states: a set that a village chooses, over the catalogue's own words.

Chinese alone differs from place to place; English keeps its words. A sentence that a set does not name is said as the
catalogue says it.
"""

from lianhu_web.words import N_

DEFAULT = "default"
# What an admin chooses from, with what each does.
SETS = {
    DEFAULT: N_("As Lianhu says it"),
    "xijing": N_("Xijing: another word for accept"),
    "yangjiang": N_("Yangjiang: other words for dispatch and claim"),
}
_CHINESE = {
    "xijing": {
        "Accept": "接单",
        "Accepted": "已接单",
        "Accept and send to volunteers": "接单并派给志愿者",
        "Accept it at once and send it to volunteers": "立即接单并派给志愿者",
        "It is accepted and sent to volunteers.": "已接单并派给志愿者。",
        "The village took it on": "村里已接单",
        "The village takes it on": "改为接单",
    },
    "yangjiang": {
        "Dispatch": "下单",
        "Dispatched": "已下单",
        "Sent out": "已下单",
        "To dispatch": "待下单",
        "Claimed": "已接单",
        "I take it": "我接单",
        "take it": "接单",
        "It is yours now. The contact stands below.": "接单成功。联系方式在下面。",
        "Somebody else has it now.": "已由别人接单。",
        "Somebody took it": "已有人接单",
    },
}


def said(chosen: str, text: str, language: str) -> str | None:
    """What a village's set says for an English sentence; None where it leaves it to the catalogue.

    A set that there is none of, as from an older or newer directory, says nothing.
    """
    return _CHINESE.get(chosen, {}).get(text) if language == "zh-CN" else None
