"""`python -m dispatch_service api | worker | migrate | refill TOPIC`."""

from pathlib import Path

from dispatch_service.app import create_app, worker
from dispatch_service.settings import Settings
from lianhu_kit.entry import main

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"

if __name__ == "__main__":
    main(Settings, api=create_app, work=worker, migrations=MIGRATIONS)
