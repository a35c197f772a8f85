"""The command line as a person uses it: what is written where, exit status and message of each failure."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from wgmqtt.config.load import read_config
from wgmqtt.script.render import quote_lines, render_difference, render_handler, render_script
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


def test_freeze_works_beside_a_configuration_with_mistakes_but_not_without_one(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("hub: [\n")
    done = wgmqtt("freeze", "-c", str(path))
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "config.yaml.frozen").exists()
    assert wgmqtt("unfreeze", "-c", str(path)).returncode == 0
    assert not (tmp_path / "config.yaml.frozen").exists()
    done = wgmqtt("freeze", "-c", str(tmp_path / "mistyped.yaml"))
    assert (done.returncode, done.stdout) == (78, "")
    assert "no such file" in done.stderr
    assert [each.name for each in tmp_path.iterdir()] == ["config.yaml"]


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


def test_gen_rsc_file_that_cannot_be_written_is_named_and_leaves_nothing(tmp_path: Path) -> None:
    """`ulimit -f 1` ends each file after one block, as a full disk does."""
    path = tmp_path / "berlin.rsc"
    command = f"{sys.executable} -m wgmqtt gen-rsc berlin --redact -c {EXAMPLE} -o {path}"
    done = subprocess.run(  # noqa: S603 - our own words
        ["/bin/bash", "-c", f"ulimit -f 1; exec {command}"], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"wgmqtt: {path}: cannot be written: File too large\n"
    assert list(tmp_path.iterdir()) == []


def test_gen_rsc_handler_is_what_the_script_quotes() -> None:
    done = wgmqtt("gen-rsc", "berlin", "--handler", "-c", str(EXAMPLE))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == render_handler(CONFIG, ROUTERS["berlin"], TEMPLATES)
    script = render_script(CONFIG, ROUTERS["berlin"], None, TEMPLATES)
    assert quote_lines(done.stdout, "    ") in script


COMMANDS_WITHOUT_RIGHTS = [("check-config",), ("gen-rsc", "berlin"), ("gen-mosquitto",), ("status",), ("freeze",)]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to another user")
@pytest.mark.parametrize("arguments", COMMANDS_WITHOUT_RIGHTS)
def test_user_without_rights_gets_one_line_and_no_traceback(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """As when /etc/wgmqtt/secrets has mode 0700 and a person forgets sudo: here root without its override."""
    (tmp_path / "secrets").mkdir(mode=0o700)
    config = tmp_path / "config.yaml"
    config.write_text(EXAMPLE.read_text().replace("/etc/wgmqtt/secrets", str(tmp_path / "secrets")))
    for path in (tmp_path / "secrets", tmp_path):
        os.chown(path, 65534, 65534)
    tmp_path.chmod(0o755)
    command = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
    command += [sys.executable, "-m", "wgmqtt", *arguments, "-c", str(config)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)  # noqa: S603
    assert done.returncode in {1, 78}
    assert "Permission denied" in done.stderr
    assert "Traceback" not in done.stderr


EXITS = {
    ("gen-rsc", "nobody", "--redact", "-c", str(EXAMPLE)): (
        1,
        "no such router in the configuration; expected amsterdam, berlin, cologne",
    ),
    ("gen-rsc", "berlin", "--all", "/x", "-c", str(EXAMPLE)): (2, "expected either ROUTER or --all DIR"),
    ("gen-rsc", "--all", "/x", "--handler", "-c", str(EXAMPLE)): (2, "--handler is for one ROUTER"),
    ("gen-rsc", "berlin", "--handler", "--remove", "-c", str(EXAMPLE)): (2, "not allowed with argument"),
    ("gen-rsc", "berlin", "--redact", "--diff", "/nonexistent", "-c", str(EXAMPLE)): (
        1,
        "/nonexistent: cannot be read",
    ),
    ("gen-rsc", "berlin", "--redact", "-o", "/proc/x/y", "-c", str(EXAMPLE)): (1, "/proc/x/y: cannot be written"),
    ("check-config", "--schema", "--reference"): (2, "not allowed with argument"),
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
