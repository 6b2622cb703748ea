"""
The best that any rule could do: a z test that knows the true variances and what a regression looks like.

It is told the covariance of all series between identical sides, measured on the very rounds that it is tried on, and
weighs them by it (generalised least squares: A. C. Aitken, 1935). For each endpoint and for all of them it asks for the
one change that it looks for, so that the other endpoints serve as a control. It asks no budget and no margin. Where it
fails, noise and not method is what limits.
"""

from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from math import log

import numpy as np

from bench.corpora import DuetCorpus, Floats, LoadCorpus, Take, take
from bench.resampling import NONE, Rule, Spec, Trial

ALPHA = 0.01  # of the whole
DRAWS = 100_000


def oracle(corpus: LoadCorpus | DuetCorpus, spec: Spec) -> Rule:
    """The test for trials like *spec*'s, whatever their effect."""
    return _oracle(corpus, Spec(mode=spec.mode, where=NONE, replicates=0, rounds=spec.rounds, seconds=spec.seconds))


@cache
def _oracle(corpus: LoadCorpus | DuetCorpus, spec: Spec) -> Rule:
    # One metric: with the p95 beside it there were as many covariances as the corpus has blocks, and filters that were
    # fitted to one half of them scattered more on the other half than the plain metric did.
    metrics = ("service_time",) if spec.mode == "duet" else ("trimmed_gmean",)
    names = corpus.endpoints
    covariance = _covariance(corpus, spec, metrics)
    shapes = np.vstack([np.repeat(np.eye(len(names)), len(metrics), axis=1), np.ones(len(names) * len(metrics))])
    filters = shapes @ np.linalg.pinv(covariance, hermitian=True)
    scales = np.sqrt(np.einsum("ij,ij->i", filters, shapes))
    filters = filters / scales[:, None]
    limit = _limit(filters @ covariance @ filters.T)

    def rule(trial: Trial) -> str:
        base = [np.mean([_logs(take, names, metrics) for take in group], axis=0) for group in trial.base]
        seen = np.mean([_logs(take, names, metrics) for take in trial.candidate], axis=0) - np.mean(base, axis=0)
        worth = 1 / (1 + 1 / len(trial.base)) if trial.history else len(trial.candidate)
        return "regression" if (filters @ seen).max() * np.sqrt(worth) > limit else "pass"

    return rule


def _limit(correlation: Floats) -> float:
    """The value that the largest of correlated normal values exceeds with probability ALPHA."""
    rng = np.random.default_rng(1)
    drawn = rng.multivariate_normal(np.zeros(len(correlation)), correlation, DRAWS, method="eigh")
    return float(np.quantile(drawn.max(axis=1), 1 - ALPHA))


def _covariance(corpus: LoadCorpus | DuetCorpus, spec: Spec, metrics: Sequence[str]) -> Floats:
    """Covariance of a pair's difference, or of a run's level."""
    names = corpus.endpoints
    if isinstance(corpus, DuetCorpus):
        sides = corpus.takes(spec.seconds).values()
        seen = np.array([_logs(other, names, metrics) - _logs(base, names, metrics) for base, other in sides])
        return _about_zero(seen)
    line = np.array([_logs(take(round_, spec.seconds), names, metrics) for round_ in corpus.unchanged])
    if spec.mode == "paired":
        near = [left.started_s + 60 > right.started_s for left, right in pairwise(corpus.unchanged)]
        return _about_zero(np.diff(line, axis=0)[near])
    runs = np.array([line[at : at + spec.rounds].mean(axis=0) for at in range(len(line) - spec.rounds + 1)])
    return np.atleast_2d(np.cov(runs.T))


def _about_zero(seen: Floats) -> Floats:
    """Covariance about zero: sides are swapped at random, so that a constant bias counts as noise."""
    covariance: Floats = seen.T @ seen / len(seen)
    return covariance


@cache
def _logs(take: Take, names: Sequence[str], metrics: Sequence[str]) -> Floats:
    return np.array([log(take.endpoints[name].values[metric]) for name in names for metric in metrics])
