"""Phone numbers as people write them, brought to one form."""

import re
import unicodedata

_DRESSING = re.compile(r"[\s\-‐-―.()·]")
_MOBILE = re.compile(r"1[3-9]\d{9}")
_LANDLINE = re.compile(r"0\d{9,11}")
_SERVICE = re.compile(r"[48]00\d{7}")
_ABROAD = re.compile(r"\+\d{7,15}")


def normal_phone(text: str) -> str:
    """Digits only (a number from abroad keeps its +); ValueError with a remedy for anything that is no phone number.

    A mainland mobile number loses its country code, so that equal phones are equal texts.
    """
    digits = _DRESSING.sub("", unicodedata.normalize("NFKC", text))
    for prefix in ("+86", "0086", "86"):
        rest = digits.removeprefix(prefix)
        if rest != digits and _MOBILE.fullmatch(rest):
            return rest
    if any(shape.fullmatch(digits) for shape in (_MOBILE, _LANDLINE, _SERVICE, _ABROAD)) and digits.isascii():
        return digits
    raise ValueError("must be a phone number: 11 digits for a mobile, area code and number, or + and country code")
