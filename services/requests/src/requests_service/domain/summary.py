"""The check of a clerk's summary: it travels on events, so it holds nothing that identifies anybody.

Refused: phone numbers (also full-width, spaced, hyphenated, in Chinese digits), identity numbers, the names of this
order's people, this order's address.
"""

import re
import unicodedata
from collections.abc import Iterable

_SEPARATED = r"[\s\-_.·・,，、()/\\*~‐-―]{0,3}"
_CHINESE_DIGITS = str.maketrans("零〇一幺二两三四五六七八九", "0011223456789")


def _spread(*digits: str) -> str:
    return _SEPARATED.join(digits)


_SEVEN = _spread(*["[0-9]"] * 7)
_MOBILE = re.compile(rf"(?<!\d)(?:(?:\+|00)?86{_SEPARATED})?{_spread('1', '[3-9]', *['[0-9]'] * 9)}(?!\d)")
_AREA = rf"\(?0\d{{2,3}}\)?{_SEPARATED}{_SEVEN}{_SEPARATED}\d?"
_LANDLINE = re.compile(rf"(?<!\d)(?:{_AREA}|[48]00{_SEPARATED}{_SEVEN})(?!\d)")
_IDENTITY = re.compile(rf"(?<!\d){_spread('[1-9]', *['[0-9]'] * 16, '[0-9Xx]')}(?![0-9Xx])")
_TAIL = re.compile(r"\d.*$", re.DOTALL)


def plain(text: str) -> str:
    """The text as comparison sees it: compatibility forms folded (full-width digits become digits), lower case."""
    return unicodedata.normalize("NFKC", text).casefold()


def _dense(text: str) -> str:
    return "".join(letter for letter in plain(text) if letter.isalnum())


def _names(summary: str, name: str) -> bool:
    wanted = _dense(name)
    if len(wanted) < 2:  # a bare surname is in half of all street names
        return False
    if wanted.isascii():
        words = re.escape(plain(name).strip())
        return re.search(rf"(?<!\w){words}(?!\w)", plain(summary)) is not None
    return wanted in _dense(summary)


def _locates(summary: str, address: str) -> bool:
    wanted, given = _dense(address), _dense(summary)
    if len(wanted) >= 4 and wanted in given:
        return True
    # The part from the first number on, as in 3巷12号, names the door as well as the whole does.
    tail = _TAIL.search(wanted)
    return tail is not None and len(tail[0]) >= 4 and tail[0] in given


def holds_phone(text: str) -> bool:
    """Whether a text holds something that reads as a Chinese phone number."""
    for form in (plain(text), plain(text).translate(_CHINESE_DIGITS)):
        if _MOBILE.search(form) or _LANDLINE.search(form):
            return True
    return False


def holds_identity_number(text: str) -> bool:
    """Whether a text holds 18 digits (the last may be X) as an identity number has (GB 11643)."""
    return _IDENTITY.search(plain(text)) is not None


def objections(summary: str, *, names: Iterable[str | None], address: str | None) -> list[str]:
    """What is wrong with a summary, each a sentence that says what to write instead; empty when it may travel."""
    found = []
    if holds_phone(summary):
        found.append("Leave out the phone number: whoever claims the request will see it.")
    if holds_identity_number(summary):
        found.append("Leave out the identity number: it belongs on no event.")
    if any(name and _names(summary, name) for name in names):
        found.append("Leave out people's names: write what is needed, as in 'tap leaks in the kitchen'.")
    if address and _locates(summary, address):
        found.append("Leave out the address: the grid says where, whoever claims the request will see the rest.")
    return found
