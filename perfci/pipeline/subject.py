"""Describes in words what was judged."""

from perfci.model import Baseline, LoadPlan, Reference, Run, Side, Subject

SLOS = "its SLOs"
"""What a run is held against that is compared with nothing."""


def described(baseline: Baseline) -> str:
    """Describe a baseline, for the reader."""
    count = len(baseline.runs)
    return f"{count} run{'s' if count != 1 else ''} in {baseline.location}"


def subject_of(finished: Run, *, reference: Reference, name: str, base_commit: str) -> Subject:
    """Describe what was judged and what it was compared with."""
    here, plan = finished.fingerprint.machine, finished.fingerprint.plan
    named = {"head_name": finished.origin.file} if finished.origin.imported else {}
    return Subject(
        profile=finished.profile,
        scenario=finished.scenario,
        reference=reference,
        reference_name=name,
        base_commit=base_commit,
        head_commit=finished.commits.get(Side.CANDIDATE, ""),
        machine=here.described if here else "not known",
        load=_load(plan) if plan else "not known",
        **named,
    )


def _load(plan: LoadPlan) -> str:
    return f"{_asking(plan)}, {plan.duration_s:g} s a round after {plan.warmup_s:g} s of warm-up"


def _asking(plan: LoadPlan) -> str:
    users = f"{plan.users} user{'s' if plan.users != 1 else ''}"
    if plan.stages:
        return f"up to {users} in {len(plan.stages)} stage{'s' if len(plan.stages) != 1 else ''}"
    if plan.arrivals is None:
        return users
    return f"{plan.arrivals.rate:g} {plan.arrivals.pattern} arrivals/s for up to {users}"
