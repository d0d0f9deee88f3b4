"""Ids for machines, short numbers and codes for people."""

import secrets
from uuid import UUID

import uuid_utils.compat
from stdnum.iso7064 import mod_11_10

# Without 0 O 1 I L and without vowels that could make words.
_CODE_LETTERS = "23456789BCDFGHJKMNPQRSTVWXYZ"


def new_id() -> UUID:
    """A UUID of version 7 (RFC 9562 section 5.7): new ids sort by time, so that indexes grow at their end."""
    return uuid_utils.compat.uuid7()


def new_number() -> str:
    """A random number of 8 digits that people can read out; the last is its check digit (ISO 7064 MOD 11,10)."""
    body = f"{secrets.randbelow(9_000_000) + 1_000_000}"
    return body + str(mod_11_10.calc_check_digit(body))


def number_is_valid(number: str) -> bool:
    """Whether a number has 8 ASCII digits and the right check digit."""
    return len(number) == 8 and number.isascii() and number.isdigit() and bool(mod_11_10.is_valid(number))


def new_tracking_code() -> str:
    """A secret of 6 characters without look-alikes: 28 ** 6, about 4.8e8 possibilities."""
    return "".join(secrets.choice(_CODE_LETTERS) for _ in range(6))
