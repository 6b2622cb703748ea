"""`[secrets]` in `perfci.toml`: which variables of the job reach the target, the seed and the load generator."""

from typing import Annotated

from pydantic import AfterValidator, Field

from perfci.schema import Table

_OF_OTHERS = (
    "ACTIONS_",
    "INPUT_",
    "PERFCI_",
    "GITHUB_ENV",
    "GITHUB_OUTPUT",
    "GITHUB_PATH",
    "GITHUB_STATE",
    "GITHUB_STEP_",
)


def _checked(name: str) -> str:
    if name.upper().startswith(_OF_OTHERS):
        raise ValueError("belongs to the runner or to perfci: give the value another name in env of the step")
    return name


SecretName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$"), AfterValidator(_checked)]
VariablePattern = Annotated[str, Field(pattern=r"^[A-Za-z_*][A-Za-z0-9_*]*$")]


class SecretsTable(Table):
    """Names of secret variables, grouped by the process that receives them."""

    target: tuple[SecretName, ...] = ()
    seed: tuple[SecretName, ...] = ()
    load: tuple[SecretName, ...] = ()

    def names(self) -> list[str]:
        """All names, without duplicates."""
        return sorted({*self.target, *self.seed, *self.load})
