"""The division code as a tree: prefixes in Python are ranges in SQL."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lianhu_kit.divisions import LENGTHS, ancestors, covers, level_of, upper_bound, village_of

CODES = st.text("0123456789", min_size=17, max_size=17).flatmap(
    lambda code: st.sampled_from([code[:n] for n in LENGTHS])
)
NEAR = st.text("09", min_size=17, max_size=17).flatmap(lambda code: st.sampled_from([code[:n] for n in LENGTHS]))


def in_range(scope: str, code: str) -> bool:
    """As the policies ask it, under the C collation: byte by byte."""
    return scope.encode() <= code.encode() < upper_bound(scope).encode()


@given(CODES | NEAR, CODES | NEAR)
def test_a_prefix_is_a_range(scope: str, code: str) -> None:
    assert covers(scope, code) == in_range(scope, code)


@given(CODES)
def test_every_ancestor_covers_and_nothing_below_does(code: str) -> None:
    above = ancestors(code)
    assert [len(each) for each in above] == [n for n in reversed(LENGTHS) if n < len(code)]
    assert all(covers(each, code) and in_range(each, code) and not covers(code, each) for each in above)
    assert covers(code, code)


def test_an_empty_scope_reaches_nothing() -> None:
    assert not covers("", "441702008205")


def test_levels_and_villages() -> None:
    code = "44170200820500102"
    names = ["province", "city", "county", "town", "village", "grid", "group"]
    assert [level_of(code[:n]) for n in LENGTHS] == names
    assert village_of(code) == village_of(code[:15]) == village_of(code[:12]) == "441702008205"
    assert village_of(code[:9]) == "441702008"


@pytest.mark.parametrize("code", ["", "4", "441", "44170200820", "4417020082050", "44170200820x", "٤٤", "4 ", "44\n"])
def test_what_is_no_code_is_named_as_such(code: str) -> None:
    with pytest.raises(ValueError, match="no division code"):
        level_of(code)
    with pytest.raises(ValueError, match="no division code"):
        ancestors(code)
