"""Finds what may never leave the service that took it: phone and identity numbers, in any string."""

import re
import unicodedata
from collections.abc import Iterator

from lianhu_tools.seed.invented import ADDRESS_MARK, NAME_MARK, PHONE_MARK, TEXT_MARK

# An id or a time holds digits by nature; a division code of 15 or 17 digits is no identity number.
_MACHINE = re.compile(
    r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
    r"|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)"
    r"|[0-9a-f]{16}|[0-9a-f]{32}"
    r"|00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}"
    r"|\d{2}|\d{4}|\d{6}|\d{9}|\d{12}|\d{15}|\d{17}"
)
_KINDS = {
    "a mobile phone number": re.compile(r"(?<!\d)(\+?86[ -]?)?1[3-9]\d[ -]?\d{4}[ -]?\d{4}(?!\d)"),
    "a telephone number": re.compile(r"(?<!\d)(\(0\d{2,3}\) ?|0\d{2,3}[ -])\d{7,8}(?!\d)|(?<!\d)0\d{9,11}(?!\d)"),
    "an identity number": re.compile(
        r"(?<!\d)[1-9]\d{5}(18|19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])\d{3}[\dXx](?![\dXx])"
        r"|(?<!\d)[1-9]\d{7}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])\d{3}(?!\d)"
    ),
}

# A whole number: seven digits alone turn up in random ids by chance.
_INVENTED_PHONE = re.compile(rf"(?<![0-9a-f])(?:\+?86)?{PHONE_MARK}\d{{4}}(?![0-9a-f])")


def kinds_in(text: str) -> list[str]:
    """The kinds of personal numbers in a text, full-width digits and grouped ones included."""
    plain = unicodedata.normalize("NFKC", text)
    if _MACHINE.fullmatch(plain):
        return []
    return [kind for kind, shape in _KINDS.items() if shape.search(plain)]


def personal_data(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    """(path, kind) for every personal number in the strings of a JSON value, property names included."""
    if isinstance(value, str):
        yield from ((path, kind) for kind in kinds_in(value))
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from ((f"{path}.{name}", kind) for kind in kinds_in(name))
            yield from personal_data(inner, f"{path}.{name}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from personal_data(inner, f"{path}[{index}]")


def invented_in(text: str) -> list[str]:
    """What of the demo's people stands in a text (a log, a page, an event): the marks and phone numbers found."""
    marks = [mark for mark in (NAME_MARK, ADDRESS_MARK, TEXT_MARK) if mark in text]
    return marks + [found.group() for found in _INVENTED_PHONE.finditer(text)]
