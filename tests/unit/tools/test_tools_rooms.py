"""Rules stand on the standard library: what import-linter's list of libraries could forget, this finds."""

import ast
import sys
from pathlib import Path

import pytest

from lianhu_tools.topology import SERVICES

ROOT = Path(__file__).resolve().parents[3]
ALLOWED = {"matching.py": {"numpy", "scipy"}}
IMPURE = {"asyncio", "io", "os", "pathlib", "random", "secrets", "socket", "subprocess", "time"}


def _imports(file: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.add(node.module or "")
    return found


@pytest.mark.parametrize("service", SERVICES)
def test_the_domain_uses_itself_and_the_standard_library(service: str) -> None:
    room = ROOT / "services" / service / "src" / f"{service}_service" / "domain"
    files = sorted(room.rglob("*.py"))
    assert files, f"{room} has no rules"
    for file in files:
        for name in _imports(file):
            top = name.split(".")[0]
            own = name.startswith(f"{service}_service.domain")
            allowed = own or top in sys.stdlib_module_names or top in ALLOWED.get(file.name, set())
            assert allowed, f"{file.relative_to(ROOT)} imports {name}"
            assert top not in IMPURE, f"{file.relative_to(ROOT)} imports {name}: no I/O, clock or randomness in rules"


def test_no_service_takes_the_name_of_the_http_library() -> None:
    for service in SERVICES:
        pyproject = (ROOT / "services" / service / "pyproject.toml").read_text(encoding="utf-8")
        assert f'name = "lianhu-{service}"' in pyproject
    assert not list((ROOT / "tests").rglob("test_*/__init__.py"))
