"""`python -m notifications_service api | worker | migrate | refill TOPIC`."""

from pathlib import Path

from lianhu_kit.entry import main
from notifications_service.app import create_app, work
from notifications_service.settings import Settings

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"

if __name__ == "__main__":
    main(Settings, api=create_app, work=work, migrations=MIGRATIONS)
