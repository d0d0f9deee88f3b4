"""What every test can ask for; see support/."""

pytest_plugins = ["support.plugin"]
