"""Every runtime dependency in pyproject.toml is imported by the package, and nothing else from outside is."""

import ast
import re
import sys
import tomllib
from importlib.metadata import distribution
from pathlib import Path

ROOT = Path(__file__).parent.parent
OWN = {"wgmqtt"}


def imported_packages() -> set[str]:
    """Return the top-level packages that the files of wgmqtt import, also inside functions."""
    found = set()
    for file in (ROOT / "wgmqtt").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.partition(".")[0])
    return found - OWN - set(sys.stdlib_module_names)


def declared_packages() -> dict[str, set[str]]:
    """Return the top-level packages that each declared runtime dependency installs."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    found = {}
    for requirement in project["dependencies"]:
        match = re.match(r"[A-Za-z0-9._-]+", requirement)
        assert match, requirement
        files = distribution(match[0]).files or []
        found[match[0]] = {file.parts[0] for file in files if file.name == "__init__.py"}
    return found


def test_every_runtime_dependency_is_imported() -> None:
    imported = imported_packages()
    assert not [name for name, packages in declared_packages().items() if not packages & imported]


def test_every_import_from_outside_is_a_declared_dependency() -> None:
    assert imported_packages() <= set().union(*declared_packages().values())
