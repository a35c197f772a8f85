"""The Debian package, built from the tree: what it holds, and that the program in it runs. Fetches from PyPI.

packaging/deb/try.sh installs, upgrades, removes and purges it in a fresh Debian, which takes minutes.
"""

import subprocess
from pathlib import Path

import pytest

from lab.network.shell import run

pytestmark = pytest.mark.lab

ROOT = Path(__file__).parents[2]
PATIENCE_S = 300.0


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the package."""
    folder = tmp_path_factory.mktemp("deb")
    run("bash", str(ROOT / "packaging" / "deb" / "build.sh"), str(folder), timeout_s=PATIENCE_S)
    (built,) = folder.glob("wgmqtt_*_all.deb")
    return built


@pytest.fixture(scope="module")
def tree(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the package's files, unpacked."""
    folder = tmp_path_factory.mktemp("root")
    run("dpkg-deb", "-x", str(package), str(folder), timeout_s=PATIENCE_S)
    return folder


def test_package_holds_program_units_manual_pages_and_completions(tree: Path) -> None:
    for path in (
        "usr/bin/wgmqtt",
        "usr/lib/systemd/system/wgmqtt.service",
        "usr/lib/systemd/system/mosquitto.service.d/wgmqtt.conf",
        "usr/share/man/man1/wgmqtt.1.gz",
        "usr/share/man/man5/wgmqtt.yaml.5.gz",
        "usr/share/bash-completion/completions/wgmqtt",
        "usr/share/zsh/vendor-completions/_wgmqtt",
        "usr/share/doc/wgmqtt/copyright",
        "etc/default/wgmqtt",
    ):
        assert (tree / path).stat().st_size > 0, path
    packaged = {str(path.relative_to(tree / "usr/lib/wgmqtt")) for path in (tree / "usr/lib/wgmqtt").rglob("*")}
    assert {str(path.relative_to(ROOT)) for path in (ROOT / "wgmqtt").rglob("*.py")} <= packaged
    assert {f"wgmqtt/routeros/{path.name}" for path in (ROOT / "routeros").glob("*.rsc")} <= packaged
    assert [path for path in packaged if path.endswith((".so", ".pyc"))] == [], "the package is for every architecture"


def test_package_keeps_its_settings_as_conffiles_and_names_what_it_needs(package: Path) -> None:
    fields = run("dpkg-deb", "-f", str(package), "Depends", "Recommends", "Architecture", timeout_s=PATIENCE_S)
    for each in ("python3 (>= 3.11)", "python3-yaml", "mosquitto", "wireguard-tools", "nftables", "Architecture: all"):
        assert each in fields
    conffiles = run("dpkg-deb", "-I", str(package), "conffiles", timeout_s=PATIENCE_S)
    assert conffiles.split() == ["/etc/default/wgmqtt"]


def test_program_in_the_package_runs_with_the_systems_python(tree: Path) -> None:
    program = f"import sys; sys.path.insert(0, {str(tree / 'usr/lib/wgmqtt')!r})\n"
    program += "from wgmqtt.cli.main import main\nsys.exit(main(sys.argv[1:]))\n"
    command = ["/usr/bin/python3", "-I", "-B", "-c", program, "check-config", "--reference"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True, cwd="/", timeout=60).stdout  # noqa: S603
    assert printed == (ROOT / "docs" / "configuration.md").read_text()
