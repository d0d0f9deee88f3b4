"""Every table of every service as it runs: forced row-level security, whatever a migration adds."""

import pytest

from lianhu_tools.local.system import cluster_of
from lianhu_tools.topology import SERVICES
from support.catalogue import faults_of_row_security
from support.system import System


@pytest.mark.parametrize("service", SERVICES)
async def test_no_table_escapes_row_level_security(system: System, service: str) -> None:
    owner = cluster_of(system.topology).urls(service).owner
    assert await faults_of_row_security(owner, service) == []
