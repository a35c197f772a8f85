"""The command line as a person uses it: what is written where, exit status and message of each failure."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from wgmqtt.config.load import read_config
from wgmqtt.script.render import render_difference, render_script
from wgmqtt.script.templates import read_templates

pytestmark = pytest.mark.process
ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "config.example.yaml"
CONFIG = read_config(EXAMPLE)
ROUTERS = {router.name: router for router in CONFIG.routers}
TEMPLATES = read_templates()
PASSWORD = "p"


def wgmqtt(*arguments: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "wgmqtt", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)  # noqa: S603


def test_gen_rsc_all_writes_private_files(tmp_path: Path) -> None:
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    for name in ROUTERS:
        (secrets / f"{name}.password").write_text("secret-" + name)
        (secrets / f"{name}.password").chmod(0o600)
    config = tmp_path / "config.yaml"
    config.write_text(EXAMPLE.read_text().replace("/etc/wgmqtt/secrets", str(secrets)))
    done = wgmqtt("gen-rsc", "--all", str(tmp_path / "out"), "-c", str(config))
    assert done.returncode == 0, done.stderr
    files = sorted((tmp_path / "out").iterdir())
    assert [file.name for file in files] == ["amsterdam.rsc", "berlin.rsc", "cologne.rsc"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert 'password="secret-berlin"' in files[1].read_text()
    assert "not changed" not in done.stderr
    (tmp_path / "out" / "gone.rsc").write_text("of a router that is no more")
    again = wgmqtt("gen-rsc", "--all", str(tmp_path / "out"), "-c", str(config))
    assert again.stderr.endswith("not in the configuration: gone\n")


def test_gen_rsc_to_a_full_disk_is_a_failure_in_one_line() -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "wgmqtt", "gen-rsc", "berlin", "--redact", "-c", str(EXAMPLE)]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)  # noqa: S603 - our own words
    assert (done.returncode, done.stderr) == (
        1,
        "wgmqtt: standard output: cannot be written: No space left on device\n",
    )


def test_gen_rsc_redact_needs_no_secret() -> None:
    done = wgmqtt("gen-rsc", "berlin", "--redact", "-c", str(EXAMPLE))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("# wgmqtt")


def test_gen_rsc_diff_shows_what_changes_and_no_password(tmp_path: Path) -> None:
    old = render_script(CONFIG, ROUTERS["berlin"], "old-secret", TEMPLATES).replace("10.99.0.1", "10.99.0.9")
    text = render_difference(old, render_script(CONFIG, ROUTERS["berlin"], "new-secret", TEMPLATES))
    assert '-  /iot/mqtt/brokers/set $brokerId address="10.99.0.9" port=1883 ssl=no' in text
    assert '+  /iot/mqtt/brokers/set $brokerId address="10.99.0.1" port=1883 ssl=no' in text
    assert "+# (the password differs)" in text
    assert "secret" not in text
    (tmp_path / "old.rsc").write_text(render_script(CONFIG, ROUTERS["berlin"], None, TEMPLATES))
    done = wgmqtt("gen-rsc", "berlin", "--redact", "--diff", str(tmp_path / "old.rsc"), "-c", str(EXAMPLE))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


EXITS = {
    ("gen-rsc", "nobody", "--redact", "-c", str(EXAMPLE)): (
        1,
        "no such router in the configuration; expected amsterdam, berlin, cologne",
    ),
    ("gen-rsc", "-c", str(EXAMPLE)): (2, "expected either ROUTER or --all DIR"),
    ("gen-rsc", "berlin", "-c", "/nonexistent.yaml"): (78, "/nonexistent.yaml: cannot be read"),
    ("run", "-c", "/nonexistent.yaml"): (78, "/nonexistent.yaml: cannot be read"),
    ("check-config", "-c", "/nonexistent.yaml"): (78, "/nonexistent.yaml: cannot be read"),
    ("dance",): (2, "invalid choice"),
    (): (2, "required: COMMAND"),
}


@pytest.mark.parametrize("arguments", EXITS)
def test_command_line_failure_exit_status_and_message(arguments: tuple[str, ...]) -> None:
    """1 failure, 2 usage, 78 configuration; one line, no traceback."""
    status, message = EXITS[arguments]
    done = wgmqtt(*arguments)
    assert done.returncode == status
    assert message in done.stderr
    assert "Traceback" not in done.stderr
