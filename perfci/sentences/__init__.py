"""
The sentences: what the judge and the pipeline state as a code with facts, in words.

`finding.KINDS` has every kind of finding by its code. A kind is a class: its fields are the facts, typed; `message` and
`hint` are the words for them. Whoever finds something makes an instance; whoever reports it reads the words.
"""

from perfci.sentences import (
    acceptance,
    alerts,
    answers,
    census,
    change,
    confirmation,
    drift,
    generator,
    limits,
    offered,
    pacing,
    reference,
    service,
    whole,
)
from perfci.sentences.finding import KINDS, Shows, finding

__all__ = [
    "KINDS",
    "Shows",
    "acceptance",
    "alerts",
    "answers",
    "census",
    "change",
    "confirmation",
    "drift",
    "finding",
    "generator",
    "limits",
    "offered",
    "pacing",
    "reference",
    "service",
    "whole",
]
