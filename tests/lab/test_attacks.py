"""The attacks of `lab/attacks.sh`: each must be held. Bounds of time are ten times those of a quiet machine."""

import pytest

from lab.attacks.__main__ import ATTACKS
from lab.attacks.attack import Attack

pytestmark = pytest.mark.lab

SLACK = 10.0


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_attack_is_held(attack: Attack, capsys: pytest.CaptureFixture[str]) -> None:
    verdict = attack.run(SLACK)
    with capsys.disabled():
        print(f"\n{attack.name}: {verdict.measured}")  # noqa: T201 - the figures
    assert verdict.is_held, verdict.measured


def test_attack_names_are_unique() -> None:
    assert len({attack.name for attack in ATTACKS}) == len(ATTACKS)
