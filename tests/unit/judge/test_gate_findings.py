"""What findings do to the verdict of the whole."""

import pytest

from perfci.judge.gate import decide
from perfci.model import Verdict, Weight
from tests.builders import a_comparison, a_finding, a_policy, a_slower_comparison, a_subject


@pytest.mark.parametrize(
    ("weight", "verdict"),
    [
        (Weight.WARNING, Verdict.PASS),
        (Weight.NOTICE, Verdict.PASS),
        (Weight.INCONCLUSIVE, Verdict.INCONCLUSIVE),
        (Weight.REGRESSION, Verdict.REGRESSION),
        (Weight.INVALID, Verdict.INVALID),
    ],
)
def test_a_finding_beside_a_pass(weight: Weight, verdict: Verdict) -> None:
    """A doubt takes a pass away; a notice and a warning do not."""
    finding = a_finding(weight=weight, message="the answers differ")
    outcome = decide([a_comparison()], [finding], [], a_subject(), a_policy())
    assert outcome.verdict is verdict
    assert (outcome.reason == "the answers differ") is (verdict is not Verdict.PASS)


def test_a_doubt_hides_no_regression() -> None:
    """A regression stays one, whatever else cannot be told."""
    doubt = a_finding(weight=Weight.INCONCLUSIVE, message="the answers differ")
    outcome = decide([a_slower_comparison()], [doubt], [], a_subject(), a_policy())
    assert outcome.verdict is Verdict.REGRESSION
