"""The same token as the services read it, checked by hand."""

import json
import os
from pathlib import Path
from typing import Annotated
from uuid import UUID

import jwt
from fastapi import Depends, Header, HTTPException

_KEYS = {
    key["kid"]: jwt.PyJWK(key, "ES256").key for key in json.loads(Path(os.environ["BENCH_JWKS"]).read_text())["keys"]
}


async def _person(authorization: Annotated[str, Header()]) -> UUID:
    token = authorization.removeprefix("Bearer ")
    try:
        claims = jwt.decode(
            token,
            _KEYS[jwt.get_unverified_header(token)["kid"]],
            algorithms=["ES256"],
            audience="lianhu",
            issuer=os.environ["BENCH_ISSUER"],
        )
    except (jwt.PyJWTError, KeyError):
        raise HTTPException(401) from None
    return UUID(claims["sub"])


Person = Annotated[UUID, Depends(_person)]
