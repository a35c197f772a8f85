"""The parts of the script for TLS, and the configurations that cannot be rendered."""

from pathlib import Path

import pytest

from lab.fuzz.handler_rig import script_for
from tests.routeros.tls_script import ONE, UPLOADED, TlsRouter, name_of, tls_config, tls_script
from wgmqtt.errors import RscError
from wgmqtt.script.render import render_script
from wgmqtt.script.templates import read_templates


def test_script_without_tls_has_no_word_of_certificates() -> None:
    assert "certificate" not in script_for(1, (7, 20))


def test_script_with_the_systems_authorities_warns_and_imports_nothing(tmp_path: Path) -> None:
    script, router = tls_script(None), TlsRouter(tmp_path)
    assert UPLOADED not in script
    router.install(script)
    text = "warning: the broker uses TLS: the authority that signed its certificate must be in /certificate, trusted"
    assert text in router.said()
    assert router.names() == []


def test_script_names_the_needed_file_at_its_start_and_end() -> None:
    script = tls_script()
    head = script[: script.index("# 1. ")]
    assert f"# Needed first: the hub's file {ONE}, uploaded to this router as {UPLOADED}." in head
    assert UPLOADED in script.splitlines()[-3]
    assert f"imported into /certificate as {name_of(ONE)}," in head


def test_script_without_the_authority_that_the_configuration_names_is_refused() -> None:
    config = tls_config(ONE)
    with pytest.raises(RscError, match="needed for a script"):
        render_script(config, config.routers[0], None, read_templates())


def test_script_with_a_file_whose_path_cannot_be_quoted_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bürö.pem"
    path.write_text(ONE.read_text())
    with pytest.raises(RscError, match="cannot be quoted"):
        tls_script(path)


def test_script_with_all_of_tls_has_no_long_line_and_only_ascii() -> None:
    script = tls_script(ONE, "own").replace(str(ONE), "/etc/wgmqtt/ca.pem")
    assert script.isascii()
    assert [line for line in script.splitlines() if len(line) > 120] == []
