"""The lab judges honestly: the script passes every check, and each mutation of it fails at least one."""

import pytest

from lab.checks.mutation import Mutation
from lab.checks.mutation_table import MUTATIONS
from lab.checks.mutations import judge, judge_mutation

pytestmark = pytest.mark.lab


def test_unchanged_script_passes_every_check() -> None:
    verdict = judge(str)
    assert (verdict.failed, verdict.why) == ("", "")


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda each: each.name)
def test_mutation_is_caught(mutation: Mutation) -> None:
    assert judge_mutation(mutation).failed, "no check of the lab notices this defect"
