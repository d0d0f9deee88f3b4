"""`python -m requests_service api | worker | migrate | refill TOPIC | service-token`."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from lianhu_kit.entry import main
from lianhu_kit.tokens import Grant
from requests_service.app import create_app, work
from requests_service.handlers.phone_messages import SERVICE
from requests_service.handlers.signing_in import Signer
from requests_service.settings import Settings

LIFETIME = timedelta(days=400)


def print_service_token(settings: Settings, _arguments: Sequence[str]) -> int:
    """A token with which another service asks at `/internal` for 400 days: a secret of the deployment."""
    signer = Signer(settings.signing_keys, settings.auth_issuer)
    print(signer.token(SERVICE, (Grant("service", ""),), LIFETIME))
    return 0


if __name__ == "__main__":
    migrations = Path(__file__).resolve().parents[2] / "migrations"
    main(Settings, api=create_app, work=work, migrations=migrations, commands={"service-token": print_service_token})
