"""What perfci can add to the next step of a failure that it did not see itself."""

import re
from collections.abc import Mapping

from perfci.errors import PerfciError
from perfci.rig.host.environment import withheld


def naming_withheld(error: PerfciError, environ: Mapping[str, str]) -> PerfciError:
    """*error*, whose hint also names what its evidence misses: variables that perfci did not pass on."""
    words = set(re.findall(r"\w+", str(error)))
    if names := sorted(withheld(environ) & words):
        why = (
            f"perfci passed no {', '.join(names)} on, as it does with what looks like a secret: what is needed goes"
            " into `env` of the target or the seed, or `environment` of the profile"
        )
        error.hint = f"{error.hint}; {why}" if error.hint else why
    return error
