"""The mutations of the generated script, as text: each must fit the current script. Needs no lab."""

from pathlib import Path

import pytest

from lab.checks.listing import CHECKS, Check, arranged
from lab.checks.mutation import Mutation, Replacement, UnmatchedError, handler
from lab.checks.mutation_table import MUTATIONS
from wgmqtt.config.load import read_config
from wgmqtt.script.render import render_script
from wgmqtt.script.templates import read_templates

CONFIG = read_config(Path(__file__).parents[2] / "config.example.yaml")
SCRIPT = render_script(CONFIG, CONFIG.routers[0], None, read_templates())


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda each: each.name)
def test_mutation_fits_the_script_and_changes_it(mutation: Mutation) -> None:
    assert mutation.apply(SCRIPT) != SCRIPT


def test_mutation_names_are_unique_and_their_checks_exist() -> None:
    assert len({mutation.name for mutation in MUTATIONS}) == len(MUTATIONS)
    assert {mutation.noticed_by for mutation in MUTATIONS} <= {check.name for check in CHECKS}


def test_replacement_whose_text_is_missing_is_an_error() -> None:
    with pytest.raises(UnmatchedError, match="0 times; expected once; got :put 1"):
        handler("gone", "table is applied", ":put 1", ":put 2").apply(SCRIPT)


def test_replacement_whose_text_occurs_twice_is_an_error() -> None:
    with pytest.raises(UnmatchedError, match="2 times"):
        Replacement("once", "never", is_handler=False).apply("once and once")


def test_replacement_that_changes_nothing_is_an_error() -> None:
    with pytest.raises(UnmatchedError):
        Replacement("a", "a").apply("a")


def test_replacement_of_two_lines_fits_the_quoted_handler() -> None:
    script = '  :local h ":put \\"a\\"\\\n    \\n  :put \\"b\\""'
    changed = Replacement('"a"\n  :put "b"', '"c"').apply(script)
    assert changed == '  :local h ":put \\"c\\""'


@pytest.mark.parametrize("check", CHECKS, ids=lambda each: each.name)
def test_arranged_puts_the_requested_check_first_and_keeps_all(check: Check) -> None:
    stages = arranged(check.name)
    assert stages[0].index(check) <= 1
    assert sorted(each.name for stage in stages for each in stage) == sorted(each.name for each in CHECKS)
    mesh = next(stage for stage in stages if stage[0].stage == "mesh")
    assert mesh[0].name == "sites meet"
