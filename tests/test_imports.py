"""Imports run downwards: core, edges, daemon, command line."""

import ast
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "wgmqtt"
OUTSIDE = frozenset(
    (
        "asyncio",
        "ctypes",
        "datetime",
        "fcntl",
        "grp",
        "http",
        "io",
        "logging",
        "multiprocessing",
        "os",
        "paho",
        "pathlib",
        "pwd",
        "pyroute2",
        "random",
        "secrets",
        "select",
        "selectors",
        "shutil",
        "signal",
        "socket",
        "ssl",
        "subprocess",
        "tempfile",
        "threading",
        "time",
        "urllib",
    )
)
TOP = {"daemon", "cli", "__main__"}


def first_line(path: Path) -> str:
    return (ast.get_docstring(ast.parse(path.read_text())) or "").split("\n\n")[0].replace("\n", " ")


def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"wgmqtt.{alias.name}" for alias in node.names} if node.module == "wgmqtt" else {node.module}
    return found


MODULES = {path.stem: path for path in sorted(PACKAGE.glob("*.py"))}
PURE = {name for name, path in MODULES.items() if first_line(path).endswith("Pure.")}
EDGES = {name for name, path in MODULES.items() if "Edge:" in first_line(path)}


def test_every_module_first_line_says_pure_or_edge() -> None:
    assert set(MODULES) == PURE | EDGES
    assert not PURE & EDGES


def test_core_imports_nothing_from_outside_and_no_edge() -> None:
    assert {"engine", "tables", "outbox", "wire", "rsc", "decode"} <= PURE
    for name in PURE:
        for imported in imports(MODULES[name]):
            top, _, rest = imported.partition(".")
            assert top not in OUTSIDE, f"{name} imports {imported}"
            if top == "wgmqtt" and rest in MODULES:
                assert rest in PURE, f"{name} imports the edge {rest}"


def test_edges_do_not_import_the_daemon_or_the_command_line() -> None:
    for name in EDGES - TOP:
        used = {imported.removeprefix("wgmqtt.") for imported in imports(MODULES[name])}
        assert not used & TOP, f"{name} imports {used & TOP}"


def test_only_the_command_line_imports_the_daemon() -> None:
    users = {name for name, path in MODULES.items() if "wgmqtt.daemon" in imports(path)}
    assert users == {"cli"}


def test_files_and_functions_are_small() -> None:
    """A file has at most 250 lines, a function at most 40: package, lab and tests alike."""
    root = PACKAGE.parent
    for path in sorted([*root.glob("wgmqtt/*.py"), *root.glob("lab/**/*.py"), *root.glob("tests/**/*.py")]):
        text = path.read_text()
        assert len(text.splitlines()) <= 250, f"{path.relative_to(root)} is too long"
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                assert lines <= 40, f"{path.relative_to(root)}: {node.name} has {lines} lines"
