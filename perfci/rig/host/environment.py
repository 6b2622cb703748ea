"""
The environment of perfci's children: without the runner's command files and without secrets.

The target, the seed and Locust run code of the change under review. The names are those that public scanners for
secrets and common tools know; values are searched for addresses with a password and tokens of well-known forms. This
prevents accidents and is no wall: code of the same user finds files and processes by itself.
"""

import fnmatch
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Self

_OF_THE_RUNNER = (
    "ACTIONS_*",  # tokens and addresses of artifacts, caches and identities
    "INPUT_*",
    *("GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_PATH", "GITHUB_STATE", "GITHUB_STEP_SUMMARY"),  # obey whoever writes
)

_OF_TOOLS = (
    *("PGPASSFILE", "REDISCLI_AUTH", "SSHPASS", "NETRC", "KUBECONFIG", "BOTO_CONFIG", "SLACK_WEBHOOK*"),
    *("NPM_AUTH*", "NPM_CONFIG_*AUTH*", "YARN_NPM_AUTH*", "COMPOSER_AUTH*", "BUNDLE_*__*", "POETRY_*_TOKEN_*"),
    *("DOCKER_AUTH*", "REGISTRY_AUTH*", "SSH_AUTH_SOCK", "SSH_AGENT_PID", "SSH_ASKPASS", "GPG_AGENT_INFO"),
    *("GIT_ASKPASS", "VSCODE_GIT_*", "GIT_CONFIG_COUNT", "GIT_CONFIG_KEY_*", "GIT_CONFIG_VALUE_*"),
    *("GIT_CONFIG_PARAMETERS", "GOOGLE_GHA_CREDS*", "GOOGLE_APPLICATION_CREDENTIALS", "CLOUDSDK_AUTH_*"),
    *("AWS_*", "ARM_CLIENT_*", "AZURE_CLIENT_*", "AZURE_STORAGE_*"),
)

_SETTINGS = (
    *("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL*", "AWS_DEFAULT_OUTPUT", "AWS_PAGER", "AWS_CA_BUNDLE"),
    *("AWS_MAX_ATTEMPTS", "AWS_RETRY_MODE", "AWS_EC2_METADATA_DISABLED", "PWD", "OLDPWD"),
)
"""Names that look like those of secrets and are not: addresses and settings of services, and the shell's own."""

_WORDS = "|".join(
    (
        r"[A-Z0-9]*(PASSWORD|PASSWD|PASSPHRASE|SECRET)S?(_.*)?",  # leave no doubt, wherever they stand
        r"([A-Z0-9]*TOKEN|API_?TOKENS|PAT|PWD|PASS|CREDENTIALS?|CREDS|AUTH|AUTHORIZATION|JWT|COOKIE|WEBHOOK_URL)",
        r"(API|APP|ACCESS|ACCOUNT|AUTH|DEPLOY|ENCRYPTION|HMAC|LICEN[CS]E|MASTER|PRIVATE|SERVICE|SHARED|SIGNING|SSH)_?KEYS?",
        r"CONN(ECTION)?_?STR(ING)?",
    )
)
_NAMED = re.compile(rf"(.*_)?({_WORDS})(_?[0-9]+|_ID|_FILE|_PATH|_BASE64|_B64|_PEM|_JSON)?", re.IGNORECASE)
"""A name ends with one of these words, or has it before a word for the form of the secret ("_FILE", "_BASE64")."""

_VALUED = re.compile(
    r"[a-z][a-z0-9+.-]*://[^/?#\s:@]*:[^/?#\s@]+@"  # an address with a password
    r"|-----BEGIN [A-Z ]*PRIVATE KEY"
    r"|\bauthorization:\s*\S|\b(password|pwd|accountkey|sharedaccesskey)\s*=\s*[^\s;&]"  # of a connection
    r"|\b(gh[opsru]_[a-z0-9]{20}|github_pat_\w{20}|glpat-[\w-]{16}|npm_[a-z0-9]{30}|pypi-[\w-]{40}|hf_[a-z0-9]{30}"
    r"|xox[abeoprs]-[a-z0-9-]{10}|[rs]k_(live|test)_[a-z0-9]{16}|sk-[\w-]{32}|A[KS]IA[A-Z0-9]{16}|AIza[\w-]{30}"
    r"|eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.)",
    re.IGNORECASE,
)
"""Values that are secret whatever the name of their variable is."""

_SWITCHES = frozenset({"", "0", "1", "true", "false", "yes", "no", "on", "off", "none"})
"""Values that cannot be secret, as in REQUIRE_AUTH=true."""


class JobEnvironment(dict[str, str]):
    """
    The environment of a job, with what its configuration says of it.

    *passed* and *blocked* are names, or patterns of names with `*`: what is passed is kept though it looks like a
    secret, what is blocked goes. *secrets* go as well, but for those that are given to a child by name.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        *,
        passed: Iterable[str] = (),
        blocked: Iterable[str] = (),
        secrets: Iterable[str] = (),
        given: Iterable[str] = (),
    ) -> None:
        super().__init__(environ)
        self.passed, self.blocked = tuple(passed), tuple(blocked)
        self.secrets, self.given = frozenset(secrets), frozenset(given)

    def giving(self, names: Iterable[str]) -> Self:
        """The job for a child that is given these secrets."""
        return self._with(self, names)

    def without(self, left_out: Callable[[str], bool]) -> Self:
        """The job without the variables whose names *left_out* accepts."""
        return self._with({name: value for name, value in self.items() if not left_out(name)}, self.given)

    def _with(self, environ: Mapping[str, str], given: Iterable[str]) -> Self:
        return type(self)(environ, passed=self.passed, blocked=self.blocked, secrets=self.secrets, given=given)

    def hidden(self) -> list[str]:
        """The values to mask: those of secrets, and of variables that are passed although they look like secrets."""
        passed = withheld(dict(self)) - withheld(dict(self), passed=self.passed)
        values = [self[name] for name in sorted(self.secrets | passed) if name in self]
        return [value for value in values if value.strip().lower() not in _SWITCHES]


def of_job(environ: Mapping[str, str]) -> JobEnvironment:
    """*environ* as the environment of a job, without any settings of the configuration unless it has them already."""
    return environ if isinstance(environ, JobEnvironment) else JobEnvironment(environ)


def child_environment(
    environ: Mapping[str, str],
    extra: Mapping[str, str] | None = None,
    *,
    passed: Iterable[str] = (),
    blocked: Iterable[str] = (),
) -> dict[str, str]:
    """
    *environ* without the runner's command files and without what looks like a secret; *extra* is added as it is.

    *passed* and *blocked* are names, or patterns of names with `*`, beside those of a `JobEnvironment`: what is passed
    is kept though it looks like a secret, what is blocked goes in any case, and so does what belongs to the runner.
    """
    dropped = withheld(environ, passed=passed, blocked=blocked)
    return {name: value for name, value in environ.items() if name not in dropped} | dict(extra or {})


def withheld(environ: Mapping[str, str], *, passed: Iterable[str] = (), blocked: Iterable[str] = ()) -> frozenset[str]:
    """The names that `child_environment` drops."""
    job = of_job(environ)
    never, kept = _any((*_OF_THE_RUNNER, *blocked, *job.blocked)), _any((*passed, *job.passed))
    return frozenset(
        name
        for name, value in environ.items()
        if name not in job.given
        and (never.fullmatch(name) or name in job.secrets or (not kept.fullmatch(name) and _looks_secret(name, value)))
    )


def _any(patterns: Iterable[str]) -> re.Pattern[str]:
    """Whether any of the shell *patterns* matches the whole name."""
    return re.compile("|".join(map(fnmatch.translate, patterns)) or r"(?!)", re.IGNORECASE)


_TOOLS, _HARMLESS = _any(_OF_TOOLS), _any(_SETTINGS)


def _looks_secret(name: str, value: str) -> bool:
    if _VALUED.search(value):
        return True
    if value.strip().lower() in _SWITCHES or _HARMLESS.fullmatch(name):
        return False
    return bool(_TOOLS.fullmatch(name) or _NAMED.fullmatch(name))
