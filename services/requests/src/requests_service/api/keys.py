"""The public keys that access tokens are checked with: this service is the issuer."""

from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request

from lianhu_kit.access import public
from lianhu_kit.tokens import public_key

router = APIRouter(tags=["auth"])


@router.get("/auth/jwks.json", dependencies=[public()])
def key_set(request: Request) -> dict[str, Any]:
    """The key set (RFC 7517), read anew each time; two keys stand in it while they are exchanged."""
    return {"keys": public_keys(request.app.state.settings.signing_keys)}


def public_keys(folder: Path) -> list[dict[str, Any]]:
    """The public half of each `<kid>.pem` in the folder."""
    return [public_key(file.read_text(), file.stem) for file in sorted(folder.glob("*.pem"))]
