"""Ids, numbers with their check digit, tracking codes."""

from hypothesis import given
from hypothesis import strategies as st
from stdnum.iso7064 import mod_11_10

from lianhu_kit.identifiers import new_id, new_number, new_tracking_code, number_is_valid

NUMBERS = st.integers(1_000_000, 9_999_999).map(lambda body: f"{body}{mod_11_10.calc_check_digit(str(body))}")


def test_ids_are_version_7_and_sort_by_time() -> None:
    ids = [new_id() for _ in range(1000)]
    assert {each.version for each in ids} == {7}
    assert len(set(ids)) == 1000
    assert [each.int >> 80 for each in ids] == sorted(each.int >> 80 for each in ids)


def test_the_check_digit_is_the_standards_by_hand() -> None:
    # ISO 7064, MOD 11,10 for 1000000: the product 10 → digit 1: (10+1) mod 10 = 1, doubled 2; then six zeros:
    # 2→4→8→16 mod 11 = 5→10→20 mod 11 = 9→18 mod 11 = 7; the check digit is (11 - 7) mod 10 = 4.
    assert number_is_valid("10000004")
    assert [digit for digit in "0123456789" if number_is_valid(f"1000000{digit}")] == ["4"]


def test_new_numbers_are_valid_and_have_eight_digits() -> None:
    numbers = {new_number() for _ in range(500)}
    assert all(number_is_valid(each) and len(each) == 8 and each[0] != "0" for each in numbers)
    assert len(numbers) > 490


@given(NUMBERS, st.integers(0, 7), st.integers(1, 9))
def test_every_wrong_digit_is_caught(number: str, place: int, by: int) -> None:
    wrong = number[:place] + str((int(number[place]) + by) % 10) + number[place + 1 :]
    assert number_is_valid(number)
    assert not number_is_valid(wrong)


@given(st.text(max_size=9))
def test_any_text_is_judged_without_an_error(text: str) -> None:
    assert number_is_valid(text) in (False, len(text) == 8 and text.isascii() and text.isdigit())


def test_other_digits_and_lengths_do_not_count() -> None:
    assert not any(
        map(number_is_valid, ("", "1000000", "010000004", "１０００００04", "1000000４", " 10000004", "-0000004"))
    )


def test_tracking_codes_have_no_look_alikes_and_are_spread() -> None:
    codes = {new_tracking_code() for _ in range(2000)}
    assert len(codes) > 1990
    letters = set("".join(codes))
    assert letters == set("23456789BCDFGHJKMNPQRSTVWXYZ")
    assert {len(code) for code in codes} == {6}
