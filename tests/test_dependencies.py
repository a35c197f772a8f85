"""Every dependency in pyproject.toml is imported by the package, and nothing else from outside is.

An extra belongs to the room of its name: only that room may import what it installs.
"""

import ast
import re
import sys
import tomllib
from importlib.metadata import distribution
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
OWN = {"wgmqtt"}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def imported_packages(room: str = "") -> set[str]:
    """Return the top-level packages that a room imports, also inside functions; without a room, all but the extras'."""
    found = set()
    rooms = [ROOT / "wgmqtt" / extra for extra in PROJECT["optional-dependencies"]]
    for file in (ROOT / "wgmqtt" / room).rglob("*.py"):
        if not room and file.parent in rooms:
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.partition(".")[0])
    return found - OWN - set(sys.stdlib_module_names)


def declared_packages(requirements: list[str]) -> dict[str, set[str]]:
    """Return the top-level packages that each of these requirements installs."""
    found = {}
    for requirement in requirements:
        match = re.match(r"[A-Za-z0-9._-]+", requirement)
        assert match, requirement
        files = distribution(match[0]).files or []
        found[match[0]] = {file.parts[0] for file in files if file.name == "__init__.py"}
    return found


def test_every_runtime_dependency_is_imported() -> None:
    imported = imported_packages()
    declared = declared_packages(PROJECT["dependencies"])
    assert not [name for name, packages in declared.items() if not packages & imported]


def test_every_import_from_outside_is_a_declared_dependency() -> None:
    assert imported_packages() <= set().union(*declared_packages(PROJECT["dependencies"]).values())


@pytest.mark.parametrize("extra", PROJECT["optional-dependencies"])
def test_every_dependency_of_an_extra_is_imported_by_its_room_and_nothing_else_is(extra: str) -> None:
    imported = imported_packages(extra)
    own = declared_packages(PROJECT["optional-dependencies"][extra])
    assert not [name for name, packages in own.items() if not packages & imported]
    always = declared_packages(PROJECT["dependencies"])
    assert imported <= set().union(*own.values(), *always.values())
