"""Rules of signing in: how often a code, how long a session, what a device is called."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from requests_service.domain.signing_in import (
    DEVICE_LENGTH,
    FREE_SECONDS,
    RATES,
    STAFF_SECONDS,
    device_words,
    goes_on,
    session_seconds,
    wait_for_code,
)

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


def test_the_first_code_goes_at_once_and_the_second_after_a_minute() -> None:
    assert wait_for_code([], NOW) is None
    assert wait_for_code([NOW - timedelta(seconds=20)], NOW) == timedelta(seconds=40)
    assert wait_for_code([NOW - timedelta(seconds=61)], NOW) is None


@given(st.lists(st.integers(0, 2 * 86_400), max_size=40))
def test_never_more_than_a_minute_an_hour_a_day_allow(asked: list[int]) -> None:
    sent: list[datetime] = []
    for second in sorted(asked):
        now = NOW + timedelta(seconds=second)
        if wait_for_code(sent, now) is None:
            sent.append(now)
    for span, most in RATES:
        for begin in sent:
            assert len([moment for moment in sent if begin <= moment < begin + span]) <= most


@given(st.lists(st.integers(1, 86_400), max_size=12))
def test_whoever_waits_as_told_gets_a_code(ago: list[int]) -> None:
    sent = [NOW - timedelta(seconds=second) for second in ago]
    wait = wait_for_code(sent, NOW)
    if wait is not None:
        assert wait > timedelta(0)
        assert wait_for_code(sent, NOW + wait) is None


@pytest.mark.parametrize(
    ("roles", "seconds"),
    [
        ({"volunteer"}, FREE_SECONDS),
        (set(), FREE_SECONDS),
        ({"clerk"}, STAFF_SECONDS),
        ({"clerk", "volunteer"}, STAFF_SECONDS),
    ],
)
def test_staff_sign_in_for_a_day_and_others_for_a_month(roles: set[str], seconds: int) -> None:
    assert session_seconds(roles) == seconds
    assert goes_on(roles) is (seconds == FREE_SECONDS)


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        ("Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/120.0 Mobile Safari/537.36", "Chrome, Android"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_0) MicroMessenger/8.0", "WeChat, iPhone"),
        ("", "?"),
    ],
)
def test_a_device_is_named_without_its_version(agent: str, words: str) -> None:
    assert device_words(agent) == words


@given(st.text(max_size=500))
def test_any_device_has_a_short_name(agent: str) -> None:
    assert 0 < len(device_words(agent)) <= DEVICE_LENGTH
