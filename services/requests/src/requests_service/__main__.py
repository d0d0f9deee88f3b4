"""`python -m requests_service api | worker | migrate | refill TOPIC`."""

from pathlib import Path

from lianhu_kit.entry import main
from requests_service.app import create_app, work
from requests_service.settings import Settings

if __name__ == "__main__":
    main(Settings, api=create_app, work=work, migrations=Path(__file__).resolve().parents[2] / "migrations")
