"""
The judge: turns measurements into a verdict.

Pure: no file, no clock, no output. Same values in, same verdict out.
"""

from dataclasses import replace

from perfci.judge import comparability
from perfci.judge.alerts import judge_alerts
from perfci.judge.answers.judging import judge_answers
from perfci.judge.assessment import assess
from perfci.judge.census.comparable import gaps
from perfci.judge.census.judging import judge_work
from perfci.judge.compare.series import against_baseline, paired
from perfci.judge.gate import decide
from perfci.judge.gauges import compared
from perfci.judge.sequential import Standing, follow
from perfci.judge.slo import judge_slos
from perfci.judge.survival import survival, without_blame
from perfci.judge.validity import findings
from perfci.judge.validity.case import case_of
from perfci.model import Baseline, GatePolicy, Outcome, Reference, Run, Subject
from perfci.sentences.remarks import remarks


def judge(
    run: Run, *, baseline: Baseline | None, policy: GatePolicy, subject: Subject, standing: Standing | None = None
) -> Outcome:
    """
    Judge a run against its own base side, the stored runs of the baseline, or its SLOs alone, as the subject says.

    Against a ref the baseline is not looked at. The work that was counted is judged beside the clocks, by rules of its
    own, and joins them at the gate. *standing* is what the looks at this very run said, where it was judged while it
    was measured and the caller has it; else they are taken again.
    """
    stored, timed = None, None
    if subject.reference is Reference.REF and run.looks:
        timed = (standing or follow(run, run.looks, policy)).decisions
        comparisons = tuple(decision.comparison for decision in timed)
    elif subject.reference is Reference.REF:
        comparisons = paired(run, policy)
    elif subject.reference is Reference.LIMITS:
        comparisons = ()
    else:
        stored = baseline or Baseline(location="", runs=())
        comparisons = against_baseline(run, stored, policy)
    work = () if subject.reference is Reference.LIMITS else judge_work(run, stored, policy)
    alerts, limits = judge_alerts(run, policy)
    if comparability.too_few_files(run, stored or Baseline(location="", runs=())):
        stored = Baseline(location="", runs=())  # what proves nothing blames nobody either
    answers = judge_answers(case_of(run, stored, policy), [*comparisons, *(decision.comparison for decision in work)])
    missing = () if subject.reference is Reference.LIMITS else gaps(run, stored)
    found = (*answers.findings, *findings(run, stored, policy), *missing, *alerts)
    slos = (*judge_slos(run, policy, settled=subject.reference is Reference.LIMITS), *limits)
    if subject.reference is Reference.LIMITS:
        slos = (*slos, *survival(run))
        found = without_blame(found, slos)
    outcome = decide(comparisons, found, slos, subject, policy, work=work, timed=timed)
    return replace(
        outcome,
        gauges=compared(run, stored, policy.alerts),
        decisions=answers.qualified(outcome.decisions),
        remarks=remarks(run),
        assessment=assess(run, slos, found, policy) if subject.reference is Reference.LIMITS else None,
    )
