"""What `run.json` calls the sides, the kinds of rounds and the steps of a run."""

from typing import Literal

from perfci.model import RoundKind, Side, Step
from perfci.schema.stored import Vocabulary

SideWord = Literal["base", "candidate"]
SIDES: Vocabulary[Side, SideWord] = Vocabulary({Side.BASE: "base", Side.CANDIDATE: "candidate"})

KindWord = Literal["load", "duet", "census"]
KINDS: Vocabulary[RoundKind, KindWord] = Vocabulary(
    {RoundKind.LOAD: "load", RoundKind.DUET: "duet", RoundKind.CENSUS: "census"}
)

StepWord = Literal["prepare", "start", "seed", "census", "turns", "load", "stop"]
STEPS: Vocabulary[Step, StepWord] = Vocabulary(
    {
        Step.PREPARE: "prepare",
        Step.START: "start",
        Step.SEED: "seed",
        Step.CENSUS: "census",
        Step.TURNS: "turns",
        Step.LOAD: "load",
        Step.STOP: "stop",
    }
)
