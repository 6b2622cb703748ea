"""
Distils a corpus that is small enough to be kept with the tests: `python -m bench.distil FROM TO`.

Load rounds keep some of the blocks, their first seconds and every k-th request; turns keep some of the blocks and the
first quadruples. The formats stay the same, so that whatever reads the one reads the other.
"""

import json
from pathlib import Path

import click
import numpy as np

from bench import corpora
from bench.corpora import DuetCorpus, LoadCorpus, LoadRound


@click.command()
@click.argument("source", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("target", type=click.Path(file_okay=False, path_type=Path))
@click.option("--blocks", default=6, show_default=True, help="To keep, from the first.")
@click.option("--seconds", default=8.0, show_default=True, help="Of each load round after its warm-up.")
@click.option("--every", default=4, show_default=True, help="Keep every k-th request of an endpoint under load.")
@click.option("--quadruples", default=20, show_default=True, help="Of turns, for each endpoint and block.")
def main(source: Path, target: Path, *, blocks: int, seconds: float, every: int, quadruples: int) -> None:
    """Copy a small part of the corpus in SOURCE to TARGET."""
    target.mkdir(parents=True, exist_ok=True)
    for corpus in corpora.load(source):
        if isinstance(corpus, LoadCorpus):
            load_rounds(corpus, target, blocks=blocks, until_s=corpora.WARMUP_S + seconds, every=every)
        else:
            turns(corpus, target, blocks=blocks, quadruples=quadruples)


def load_rounds(corpus: LoadCorpus, target: Path, *, blocks: int, until_s: float, every: int) -> None:
    """Copy some of the requests of some of the rounds."""
    kept = [round_ for round_ in corpus.rounds if round_.block in corpus.blocks[:blocks]]
    for round_ in kept:
        np.savez_compressed(target / round_.path.name, **_thinned(round_, until_s, every))  # type: ignore[arg-type]
    index = [
        {"file": round_.path.name, "variant": round_.variant, "round": round_.block, "started_s": round_.started_s}
        for round_ in kept
    ]
    (target / "index.json").write_text(json.dumps(index, indent=1) + "\n", encoding="utf-8")


def _thinned(round_: LoadRound, until_s: float, every: int) -> dict[str, np.ndarray]:
    with np.load(round_.path) as stored:
        whole = dict(stored)
    thin = {}
    for key, values in whole.items():
        start_s = whole[f"{key.rsplit('.', 1)[0]}.start_s"]
        thin[key] = values[(start_s >= corpora.WARMUP_S) & (start_s < until_s)][::every].astype(np.float32)
    return thin


def turns(corpus: DuetCorpus, target: Path, *, blocks: int, quadruples: int) -> None:
    """Copy the first turns of some of the blocks; two turns of each side make a quadruple."""
    kept = {
        f"start{block.number:02d}|{endpoint}|{side}": values[: 2 * quadruples].astype(np.float32)
        for block in corpus.duets[:blocks]
        for endpoint, both in block.turns.items()
        for side, values in zip(("base", "cand"), both, strict=True)
    }
    np.savez_compressed(target / f"{corpus.name}.npz", **kept)  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
