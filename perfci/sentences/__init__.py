"""
The sentences: what the judge and the pipeline state as a code with facts, in words.

`finding.KINDS` has every kind of finding by its code. A kind is a class: its fields are the facts, typed; `message` and
`hint` are the words for them. `reason.REASONS` has every kind of reason by its code, whose words are `str()` of it.
Whoever finds or decides something makes an instance; whoever reports it reads the words.
"""

from perfci.sentences import (
    acceptance,
    advice,
    alerts,
    analyses,
    answers,
    census,
    change,
    conditions,
    confirmation,
    drift,
    generator,
    headline,
    limits,
    offered,
    pacing,
    qualified,
    readiness,
    reference,
    series,
    service,
    slos,
    verdict,
    whole,
    work,
)
from perfci.sentences.finding import KINDS, Shows, finding
from perfci.sentences.reason import REASONS, reason

__all__ = [
    "KINDS",
    "REASONS",
    "Shows",
    "acceptance",
    "advice",
    "alerts",
    "analyses",
    "answers",
    "census",
    "change",
    "conditions",
    "confirmation",
    "drift",
    "finding",
    "generator",
    "headline",
    "limits",
    "offered",
    "pacing",
    "qualified",
    "readiness",
    "reason",
    "reference",
    "series",
    "service",
    "slos",
    "verdict",
    "whole",
    "work",
]
