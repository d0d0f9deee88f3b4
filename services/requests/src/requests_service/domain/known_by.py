"""The code by which a resident knows who comes: both see the same four digits, and nobody else can work them out."""

import hashlib
import hmac
from uuid import UUID

DIGITS = 4


def known_by(key: bytes, request_id: UUID, person: UUID) -> str:
    """The digits for one volunteer and one request (HMAC, RFC 2104)."""
    digest = hmac.digest(key, f"known-by/{request_id}/{person}".encode(), hashlib.sha256)
    return f"{int.from_bytes(digest[:8]) % 10**DIGITS:0{DIGITS}}"
