"""What this service is told beyond what every service is."""

from pathlib import Path

from pydantic import Field

from lianhu_kit.settings import ServiceSettings


class Settings(ServiceSettings, service="requests"):
    """Environment variables with the prefix REQUESTS_; shared ones with LIANHU_."""

    port: int = Field(default=8001, ge=0, le=65535, description="a free port, as in 8001")
    worker_port: int = Field(default=8011, ge=0, le=65535, description="the port of the worker's health answers")
    signing_keys: Path = Field(
        default=Path(".lianhu/keys"),
        description="a folder with the private keys that tokens are signed with (<kid>.pem) and served.key",
    )
    orders_per_minute: int = Field(
        default=20,
        ge=1,
        description="orders without a token that an address may place in a minute (all at once, then evenly), as in 20",
    )
    notifications_url: str = Field(
        default="",
        pattern=r"^(https?://.*)?$",
        description="who sends sign-in codes, as in http://127.0.0.1:8003; empty, nobody can ask for one",
    )
    sign_ins_per_minute: int = Field(
        default=20, ge=1, description="codes asked for and tried that an address may make in a minute, as in 20"
    )
    tracks_per_minute: int = Field(
        default=30, ge=1, description="look-ups of an order that an address may make in a minute, as in 30"
    )
