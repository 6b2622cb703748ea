"""The kinds of faults that services in the field brought to light, and how many tests hold each."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

KINDS = {
    "A": "a load that ends by the Locust file's own will",
    "B": "a message that hides its cause",
    "C": "what a profile needs and could not be given",
    "D": "what a file sees in turns and census, and what Locust promises it",
    "E": "no request was sent, and why",
    "F": "which users are driven",
    "G": "sleeps inside of tasks",
    "H": "a zero that is judged without the chance of it",
    "I": "green although not the same was asked or answered",
    "J": "a base that cannot be had",
    "K": "which commit is the base",
    "L": "two gates of one job",
    "M": "two copies of a compose project",
    "N": "what is left of images and volumes",
}
"""Letter of `@pytest.mark.kind` -> what it stands for."""


def table(held: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Lines *kind, cases, tests* from pairs of (kind, node id of a test that passed); a case is a test function."""
    tests: defaultdict[str, list[str]] = defaultdict(list)
    for kind, node in held:
        tests[kind].append(node)
    yield f"{'kind':<72} {'cases':>6} {'tests':>6}"
    for letter, title in KINDS.items():
        cases = {node.partition("[")[0] for node in tests[letter]}
        yield f"{letter}  {title:<69} {len(cases):>6} {len(tests[letter]):>6}"
