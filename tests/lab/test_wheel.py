"""The wheel, installed alone in an empty environment, with the source tree hidden. Downloads from PyPI."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from lab.network.shell import run

pytestmark = pytest.mark.lab

ROOT = Path(__file__).parent.parent.parent
DOWNLOAD_S = 300.0
HIDE = 'mount -t tmpfs none "$1" && cd / && shift && exec "$@"'


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the wheel, built from the source tree."""
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(folder), str(ROOT), timeout_s=DOWNLOAD_S)
    (made,) = folder.glob("wgmqtt-*.whl")
    return made


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the interpreter of an environment with only the wheel and its dependencies."""
    folder = tmp_path_factory.mktemp("environment")
    run(sys.executable, "-m", "venv", str(folder), timeout_s=DOWNLOAD_S)
    run(str(folder / "bin" / "pip"), "install", "-q", "--disable-pip-version-check", str(wheel), timeout_s=DOWNLOAD_S)
    return folder / "bin" / "python"


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the example configuration, outside of the source tree, with its secrets beside it."""
    folder = tmp_path_factory.mktemp("etc")
    text = (ROOT / "config.example.yaml").read_text().replace("/etc/wgmqtt/secrets", str(folder / "secrets"))
    (folder / "config.yaml").write_text(text)
    return folder / "config.yaml"


def use(python: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run wgmqtt in `/`, isolated, with an empty directory in place of the source tree."""
    command = ["unshare", "--mount", "sh", "-c", HIDE, "-", str(ROOT), str(python), "-I", "-m", "wgmqtt", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=DOWNLOAD_S)  # noqa: S603 - the wheel under test


def test_wheel_holds_the_package_and_its_templates_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as opened:
        names = set(opened.namelist())
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"wgmqtt"}
    assert {f"wgmqtt/routeros/{path.name}" for path in (ROOT / "routeros").glob("*.rsc")} <= names
    assert "wgmqtt/py.typed" in names
    assert {str(path.relative_to(ROOT)) for path in (ROOT / "wgmqtt").rglob("*.py")} <= names


def test_wheel_alone_prints_its_version_and_exits_with_the_right_status(python: Path, config: Path) -> None:
    done = use(python, "--version")
    assert (done.returncode, done.stdout.split()[0]) == (0, "wgmqtt")
    assert use(python, "no-such-command").returncode == 2
    assert use(python, "check-config", "-c", "/no/such/file").returncode == 78
    assert use(python, "check-config", "-c", str(config)).returncode == 78, "no secrets yet"


def test_wheel_alone_generates_scripts_schema_secrets_and_broker_files(
    python: Path, config: Path, tmp_path: Path
) -> None:
    script = use(python, "gen-rsc", "berlin", "-c", str(config), "--redact")
    assert (script.returncode, script.stderr) == (0, "")
    assert "/iot/mqtt/brokers" in script.stdout
    tree = run(sys.executable, "-m", "wgmqtt", "gen-rsc", "berlin", "-c", str(config), "--redact")
    assert script.stdout == tree, "the same script as from the source tree"
    assert use(python, "gen-rsc", "berlin", "-c", str(config), "--remove").returncode == 0
    assert use(python, "check-config", "--schema").stdout == (ROOT / "docs" / "config.schema.json").read_text()
    assert use(python, "gen-mosquitto", "-c", str(config), "--folder", str(tmp_path)).returncode == 0
    assert use(python, "check-config", "-c", str(config)).returncode == 0


def test_wheel_alone_runs_the_daemon_until_sigterm(python: Path, config: Path) -> None:
    """The modules that only the daemon needs are in the wheel, and every dependency is declared."""
    use(python, "gen-mosquitto", "-c", str(config), "--folder", str(config.parent))
    command = ["timeout", "300", str(python), "-I", "-m", "wgmqtt", "run", "-c", str(config)]
    isolated = ["unshare", "--mount", "--net", "sh", "-c", HIDE, "-", str(ROOT), *command]
    phrases = []
    with subprocess.Popen(isolated, stderr=subprocess.PIPE, text=True) as process:  # noqa: S603 - the wheel under test
        assert process.stderr is not None
        for line in process.stderr:
            phrases.append(" ".join(line.split()[2:]))
            if phrases[-1].startswith("broker unreachable"):
                process.terminate()  # timeout(1) forwards it
    assert phrases[0].startswith("started hub=hub1"), phrases
    assert phrases[-1] == "stopped", phrases


def test_editable_install_finds_its_templates_from_any_directory(config: Path) -> None:
    """`.venv` has one (lab/setup.sh): the package is in the source tree, the templates are beside it."""
    where = [sys.executable, "-I", "-c", "import wgmqtt; print(wgmqtt.__file__)"]
    package = Path(subprocess.run(where, cwd="/", capture_output=True, text=True, check=True).stdout.strip()).parent  # noqa: S603 - this interpreter
    assert not (package / "routeros").exists()
    assert (package.parent / "routeros" / "handler.rsc").exists()
    command = [sys.executable, "-I", "-m", "wgmqtt", "gen-rsc", "berlin", "-c", str(config), "--redact"]
    done = subprocess.run(command, cwd="/", capture_output=True, text=True, check=False)  # noqa: S603 - this interpreter
    assert (done.returncode, "/iot/mqtt/brokers" in done.stdout) == (0, True), done.stderr
