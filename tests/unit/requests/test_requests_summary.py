"""The summary that travels on events holds nothing that identifies anybody."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from requests_service.domain.summary import holds_identity_number, holds_phone, objections

PHONES = [
    "13900000001",
    "139 0000 0001",
    "139-0000-0001",
    "１３９０００００００１",
    "1 3 9 0 0 0 0 0 0 0 1",
    "+86 139 0000 0001",
    "008613900000001",
    "139.0000.0001",
    "一三九零零零零零零零一",
    "幺三九〇〇〇〇〇〇〇一",
    "0662-3210000",
    "(0662) 3210000",
    "010 8000 0000",
    "400-800-0000",
]


@pytest.mark.parametrize("phone", PHONES)
def test_phones_in_any_form_are_found(phone: Any) -> None:
    for text in (phone, f"厨房水龙头漏水，电话{phone}，下午在家", f"tap leaks {phone} 5楼"):
        assert holds_phone(text), text


@pytest.mark.parametrize(
    "text",
    [
        "厨房水龙头漏水",
        "3号楼2单元的路灯坏了，2026-03-01 18:30 之后有人",
        "编号 10000007 的诉求",
        "网格 441702008205001 的垃圾",
        "十三只鸡，一百二十元",
        "15 袋垃圾，200 公斤，3 次",
    ],
)
def test_ordinary_words_and_numbers_pass(text: Any) -> None:
    assert objections(text, names=[], address=None) == []


@pytest.mark.parametrize("number", ["110101199003070000", "11010119900307000X", "110101 19900307 000x"])
def test_identity_numbers_are_found(number: Any) -> None:
    assert holds_identity_number(f"证件 {number} 补办")


@given(st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True), st.sampled_from(["", " ", "-", "–", ".", "  ", " - ", "·"]))
def test_any_mobile_number_with_any_separator_is_found(number: Any, separator: Any) -> None:
    assert holds_phone("请联系" + separator.join((number[:3], number[3:7], number[7:])) + "谢谢")


@pytest.mark.parametrize(
    ("summary", "names"),
    [
        ("给测试甲大妈理发", ["测试甲"]),
        ("给 测试 甲 大妈理发", ["测试甲"]),
        ("haircut for Anna Example at home", ["anna example"]),
    ],
)
def test_names_of_this_order_are_found(summary: Any, names: Any) -> None:
    assert len(objections(summary, names=names, address=None)) == 1


def test_a_latin_name_inside_a_word_is_no_name_and_a_bare_surname_neither() -> None:
    assert objections("planning of the garden", names=["Ann"], address=None) == []
    assert objections("王家巷的路灯", names=["王", None], address=None) == []


@pytest.mark.parametrize(
    "summary", ["岗列街道示例村3巷12号漏水", "示例村 3 巷 12 号 漏水", "3巷12号漏水", "３巷１２号漏水"]
)
def test_this_orders_address_is_found_whole_or_by_its_door(summary: Any) -> None:
    assert len(objections(summary, names=[], address="示例村3巷12号")) == 1


def test_every_fault_is_told_at_once_and_none_repeats_the_value() -> None:
    found = objections("测试甲 13900000001 示例村3巷12号", names=["测试甲"], address="示例村3巷12号")
    assert len(found) == 3
    assert not any("13900000001" in words or "测试甲" in words for words in found)
