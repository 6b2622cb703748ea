"""Adds to the hint of an error what only the pipeline knows."""

import re
from collections.abc import Mapping

from perfci.errors import PerfciError
from perfci.rig.host.environment import withheld


def naming_withheld(error: PerfciError, environ: Mapping[str, str]) -> PerfciError:
    """Return *error* with a hint that names variables which its evidence misses and perfci did not pass on."""
    words = set(re.findall(r"\w+", str(error)))
    if names := sorted(withheld(environ) & words):
        why = (
            f"perfci passed no {', '.join(names)} on, as it does with what looks like a secret: what is needed goes"
            " into `env` of the target or the seed, or `environment` of the profile"
        )
        error.hint = f"{error.hint}; {why}" if error.hint else why
    return error
