"""What `run.json` calls the sides and the kinds of rounds."""

from typing import Literal

from perfci.model import RoundKind, Side
from perfci.schema.stored import Vocabulary

SideWord = Literal["base", "candidate"]
SIDES: Vocabulary[Side, SideWord] = Vocabulary({Side.BASE: "base", Side.CANDIDATE: "candidate"})

KindWord = Literal["load", "duet", "census"]
KINDS: Vocabulary[RoundKind, KindWord] = Vocabulary(
    {RoundKind.LOAD: "load", RoundKind.DUET: "duet", RoundKind.CENSUS: "census"}
)
