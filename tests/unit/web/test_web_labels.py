"""A village's own names for moves and states, in Chinese, of sentences that pages really say."""

import io
from pathlib import Path
from typing import get_args

import pytest
from babel.messages.pofile import read_po

from lianhu_web import labels
from requests_service.api.settings_body import UnitSettings

ROOT = Path(__file__).parents[3]
SENTENCES = {
    str(message.id): str(message.string)
    for file in [*ROOT.glob("services/*/src/*/web/words/zh_CN.po"), *ROOT.glob("shared/web/src/*/words/zh_CN.po")]
    for message in read_po(io.BytesIO(file.read_bytes()), locale="zh_CN")
    if isinstance(message.id, str)
}
NAMED = [(chosen, text) for chosen, words in labels._CHINESE.items() for text in words]


@pytest.mark.parametrize(("chosen", "text"), NAMED)
def test_a_set_names_what_pages_say_and_says_it_otherwise(chosen: str, text: str) -> None:
    assert text in SENTENCES
    assert labels.said(chosen, text, "zh-CN") != SENTENCES[text]


def test_xijing_says_accept_and_yangjiang_dispatch_and_claim_in_its_own_way() -> None:
    assert labels.said("xijing", "Accept", "zh-CN") == "接单"
    assert labels.said("yangjiang", "Dispatch", "zh-CN") == "下单"
    assert labels.said("yangjiang", "Claimed", "zh-CN") == "已接单"


@pytest.mark.parametrize(
    ("chosen", "text", "language"),
    [("default", "Accept", "zh-CN"), ("xijing", "Accept", "en"), ("nowhere", "Accept", "zh-CN"),
     ("yangjiang", "Accept", "zh-CN"), ("xijing", "Claimed", "zh-CN")],
)  # fmt: skip
def test_all_else_is_left_to_the_catalogue(chosen: str, text: str, language: str) -> None:
    assert labels.said(chosen, text, language) is None


def test_a_village_can_choose_just_the_sets_that_there_are() -> None:
    literal = next(part for part in get_args(UnitSettings.model_fields["label_set"].annotation) if get_args(part))
    assert set(get_args(literal)) == set(labels.SETS) == {labels.DEFAULT, *labels._CHINESE}
