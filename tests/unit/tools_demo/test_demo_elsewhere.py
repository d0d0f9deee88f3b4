"""The demo against a system that this clone does not run."""

from pathlib import Path

import pytest

from lianhu_tools.demo.elsewhere import elsewhere
from lianhu_tools.faults import Fault
from lianhu_tools.topology import Topology


def test_without_the_setting_the_demo_plays_at_home() -> None:
    assert elsewhere(Topology(Path("/x"), 9000)) is None


def test_everything_lies_behind_the_gateway_that_is_named() -> None:
    options = {"LIANHU_DEMO_GATEWAY": "https://desk.example/", "LIANHU_DEMO_KEYS": "/k", "LIANHU_DEMO_FOLDER": "/f"}
    there = elsewhere(Topology(Path("/x"), 9000, options))
    assert there is not None
    assert there.gateway_url == "https://desk.example"
    assert there.api_url("dispatch") == "https://desk.example/api/dispatch"
    assert (there.keys, there.state) == (Path("/k"), Path("/f"))


def test_keys_and_folder_are_the_clones_own_unless_named() -> None:
    home = Topology(Path("/x"), 9000, {"LIANHU_DEMO_GATEWAY": "http://10.0.0.7:8000"})
    there = elsewhere(home)
    assert there is not None
    assert (there.keys, there.state) == (home.keys, home.state)


def test_an_address_without_its_scheme_is_refused() -> None:
    with pytest.raises(Fault, match="LIANHU_DEMO_GATEWAY"):
        elsewhere(Topology(Path("/x"), 9000, {"LIANHU_DEMO_GATEWAY": "10.0.0.7:8000"}))
