"""Corpora whose truth is known, in the formats of recorded ones."""

import json
from pathlib import Path

import numpy as np
import pytest

from bench import corpora
from bench.corpora import DuetCorpus, LoadCorpus

LEVELS = {"list": 10.0, "detail": 30.0}
VARIANTS = {"a1": 1.0, "b05": 1.05, "a2": 1.0, "b20": 1.20, "a3": 1.0}
BLOCKS = 6


@pytest.fixture(scope="session")
def load_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty rounds of 20 s that scatter by 1 %, with requests that scatter by 10 %."""
    folder, rng = tmp_path_factory.mktemp("load"), np.random.default_rng(3)
    index = []
    for number, (block, variant) in enumerate(
        (block, variant) for block in range(1, BLOCKS + 1) for variant in VARIANTS
    ):
        columns = {}
        for endpoint, level in LEVELS.items():
            start_s = np.sort(rng.uniform(0, 20, 400))
            luck = rng.normal(0, 0.01) + rng.normal(0, 0.1, 400)
            columns[f"{endpoint}.start_s"] = start_s.astype(np.float32)
            columns[f"{endpoint}.latency_ms"] = (level * VARIANTS[variant] * np.exp(luck)).astype(np.float32)
        np.savez(folder / f"{number:03d}.npz", **columns)  # type: ignore[arg-type]
        index.append({"file": f"{number:03d}.npz", "variant": variant, "round": block, "started_s": 20.5 * number})
    (folder / "index.json").write_text(json.dumps(index))
    return folder


@pytest.fixture(scope="session")
def duet_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten blocks of turns with a constant bias of 2 % for the candidate, and four of sides that are really unlike."""
    folder, rng = tmp_path_factory.mktemp("duet"), np.random.default_rng(4)
    for name, blocks, bias in (("toy-quiet", 10, 1.02), ("toy-plus-10", 4, 1.10)):
        turns = {
            f"start{block:02d}|{endpoint}|{side}": level * factor * np.exp(rng.normal(0, 0.05, 200))
            for block in range(blocks)
            for endpoint, level in LEVELS.items()
            for side, factor in (("base", 1.0), ("cand", bias))
        }
        np.savez(folder / f"{name}.npz", **turns)  # type: ignore[arg-type]
    return folder


@pytest.fixture(scope="session")
def rounds(load_folder: Path) -> LoadCorpus:
    """The load rounds."""
    (corpus,) = corpora.load(load_folder)
    assert isinstance(corpus, LoadCorpus)
    return corpus


@pytest.fixture(scope="session")
def duets(duet_folder: Path) -> DuetCorpus:
    """The turns of sides that are said to be identical."""
    corpus = next(corpus for corpus in corpora.load(duet_folder) if corpus.name == "toy-quiet")
    assert isinstance(corpus, DuetCorpus)
    return corpus
