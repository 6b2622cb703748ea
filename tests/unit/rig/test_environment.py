"""What children of perfci see of its environment: one table of what is dropped, one of what is kept."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfci.rig.host import docker
from perfci.rig.host.environment import child_environment, withheld

SECRET_NAMES = """
GITHUB_TOKEN GH_TOKEN GH_PAT GITHUB_PAT GITHUB_ENTERPRISE_TOKEN PERFCI_TOKEN token ACTIONS_RUNTIME_TOKEN
ACTIONS_RUNTIME_URL ACTIONS_RESULTS_URL ACTIONS_CACHE_URL ACTIONS_ID_TOKEN_REQUEST_URL
ACTIONS_ID_TOKEN_REQUEST_TOKEN INPUT_PROFILE GITHUB_OUTPUT GITHUB_ENV GITHUB_PATH GITHUB_STATE
GITHUB_STEP_SUMMARY NPM_TOKEN NPM_AUTH NPM_AUTH_TOKEN NODE_AUTH_TOKEN npm_config__auth
npm_config_//registry.example.org/:_authToken YARN_NPM_AUTH_IDENT PYPI_TOKEN TWINE_PASSWORD UV_PUBLISH_TOKEN
POETRY_PYPI_TOKEN_PYPI COMPOSER_AUTH BUNDLE_GEMS__EXAMPLE__ORG GEM_HOST_API_KEY CARGO_REGISTRY_TOKEN
NUGET_API_KEY HEX_API_KEY PGPASSWORD PGPASSFILE POSTGRES_PASSWORD POSTGRES_PASSWORD_FILE MYSQL_PWD
MYSQL_ROOT_PASSWORD DB_PASSWD REDIS_PASSWORD REDISCLI_AUTH MONGO_INITDB_ROOT_PASSWORD SSHPASS DB_PASS DB_PWD
SMTP_PASS AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_WEB_IDENTITY_TOKEN_FILE AWS_PROFILE
AWS_ROLE_ARN AWS_CONTAINER_CREDENTIALS_FULL_URI AZURE_CLIENT_SECRET AZURE_STORAGE_KEY ARM_CLIENT_SECRET
ARM_ACCESS_KEY GOOGLE_APPLICATION_CREDENTIALS GOOGLE_CREDENTIALS GOOGLE_GHA_CREDS_PATH GOOGLE_API_KEY KUBECONFIG
DIGITALOCEAN_ACCESS_TOKEN HEROKU_API_KEY CLOUDFLARE_API_TOKEN FASTLY_API_TOKEN VAULT_TOKEN CONSUL_HTTP_TOKEN
DOCKER_AUTH_CONFIG DOCKER_PASSWORD DOCKERHUB_TOKEN REGISTRY_AUTH_FILE NETRC SSH_AUTH_SOCK SSH_AGENT_PID
SSH_PRIVATE_KEY SSH_KEY SSH_ASKPASS GIT_ASKPASS GPG_PASSPHRASE GPG_PRIVATE_KEY DEPLOY_KEY GIT_CONFIG_COUNT
GIT_CONFIG_KEY_0 GIT_CONFIG_VALUE_0 GIT_CONFIG_PARAMETERS CLIENT_SECRET SECRET SECRETS SECRET_KEY
SECRET_KEY_BASE DJANGO_SECRET_KEY JWT_SECRET JWT_SECRET_V2 APP_KEY APP_SECRET OAUTH_CLIENT_SECRET COOKIE_SECRET
RAILS_MASTER_KEY ENCRYPTION_KEY SIGNING_KEY HMAC_KEY LICENSE_KEY NEW_RELIC_LICENSE_KEY DD_API_KEY
DATADOG_APP_KEY SENTRY_AUTH_TOKEN CODECOV_TOKEN SONAR_TOKEN SNYK_TOKEN SLACK_BOT_TOKEN SLACK_WEBHOOK_URL
SLACK_WEBHOOK DISCORD_WEBHOOK_URL STRIPE_SECRET_KEY STRIPE_API_KEY OPENAI_API_KEY ANTHROPIC_API_KEY
SENDGRID_APIKEY TWILIO_AUTH_TOKEN MAILGUN_API_KEY API_KEY APIKEY API_KEY_2 API_TOKEN ACCESS_TOKEN REFRESH_TOKEN
BEARER_TOKEN TOKEN2 SERVICE_CREDENTIALS SERVICE_CREDS AZURE_CREDENTIALS CREDENTIALS_FILE SQL_CONNECTION_STRING
CONN_STR
"""

PLAIN_NAMES = """
PATH HOME USER SHELL PWD OLDPWD LANG LC_ALL LC_CTYPE TZ TERM TMPDIR HOSTNAME LOGNAME DISPLAY XDG_STATE_HOME
XDG_RUNTIME_DIR PYTHONPATH PYTHONUNBUFFERED VIRTUAL_ENV PIP_INDEX_URL UV_INDEX_URL NODE_ENV NODE_OPTIONS
NODE_EXTRA_CA_CERTS JAVA_HOME GOPATH GOPROXY CARGO_HOME GEM_HOME BUNDLE_PATH BUNDLE_GEMFILE SSL_CERT_FILE
SSL_CERT_DIR REQUESTS_CA_BUNDLE CURL_CA_BUNDLE HTTP_PROXY HTTPS_PROXY NO_PROXY http_proxy no_proxy DOCKER_HOST
DOCKER_CONFIG DOCKER_BUILDKIT DOCKER_TLS_VERIFY DOCKER_CERT_PATH BUILDKIT_PROGRESS GITHUB_SHA GITHUB_REF
GITHUB_ACTIONS GITHUB_WORKSPACE RUNNER_OS RUNNER_TEMP CI AWS_REGION AWS_DEFAULT_REGION AWS_ENDPOINT_URL
AWS_ENDPOINT_URL_S3 DATABASE_HOST DATABASE_NAME POSTGRES_USER POSTGRES_DB POSTGRES_HOST_AUTH_METHOD PGHOST
PGPORT PGUSER PGDATABASE MYSQL_HOST REDIS_HOST TOKENIZERS_PATH TOKENIZERS_PARALLELISM MAX_TOKENS
ACCESS_TOKEN_EXPIRE_MINUTES TOKEN_URL PATTERN PATIENCE PASSENGER_APP_ENV COMPASS BYPASS AUTHOR GIT_AUTHOR_NAME
KEYBOARD SORT_KEY CACHE_KEY PRIMARY_KEY SECRETARY COOKIE_DOMAIN WEBHOOKS_ENABLED PORT DEBUG LOG_LEVEL
OMP_NUM_THREADS PYTEST_CURRENT_TEST
"""

SECRET_VALUES = [
    "postgres://shop:hunter2@db/shop",
    "postgresql+asyncpg://shop:p%40ss@db:5432/shop?sslmode=require",
    "redis://:hunter2@cache:6379/0",
    "amqp://guest:guest@queue",
    "https://user:token@registry.example.org/simple",
    "http://me:pw@proxy.example.org:3128",
    "jdbc:mysql://root:root@127.0.0.1/x",
    "one https://fine.example.org two ftp://a:b@c",
    "ghp_" + "a" * 36,
    "github_pat_" + "A1" * 20,
    "glpat-" + "x" * 20,
    "npm_" + "x" * 36,
    "xoxb-123456789012-abcdef",
    "sk_live_" + "0" * 24,
    "AKIA" + "A" * 16,
    "-----BEGIN RSA PRIVATE KEY-----\nMIIE",
    "-----BEGIN PRIVATE KEY-----",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTYifQ.c2ln",
    "AUTHORIZATION: basic eDp5",
    "host=db user=shop password=hunter2",
    "Server=db;User Id=sa;Password=hunter2;",
    "DefaultEndpointsProtocol=https;AccountName=shop;AccountKey=eDp5==;",
    "jdbc:postgresql://db/shop?user=shop&password=hunter2",
]

PLAIN_VALUES = [
    "postgres://shop@db/shop",
    "postgres://db:5432/shop",
    "http://proxy.example.org:3128",
    "http://[::1]:8080/a@b",
    "http://127.0.0.1:8080/@scope/name:x@y",
    "unix:path=/run/user/1000/bus",
    "tcp://127.0.0.1:2375",
    "/usr/bin:/bin",
    "me@example.org",
    "a task-force of 12",
    "2026-01-01T00:00:00Z",
    "550e8400-e29b-41d4-a716-446655440000",
    "f00dfeed" * 5,
]


@pytest.mark.parametrize("name", SECRET_NAMES.split())
def test_secrets_and_command_files_are_dropped(name: str) -> None:
    """What could speak for the job, or open something, stays with perfci."""
    assert child_environment({name: "x", "PATH": "/bin"}) == {"PATH": "/bin"}


@pytest.mark.parametrize("name", PLAIN_NAMES.split())
def test_the_rest_is_kept(name: str) -> None:
    """A target finds its interpreter, its certificates, its proxy and its settings."""
    assert child_environment({name: "x"}) == {name: "x"}


@pytest.mark.parametrize("value", SECRET_VALUES)
def test_secret_values_are_dropped(value: str) -> None:
    """An address with a password, a key or a well-known token is one under every name."""
    assert child_environment({"DATABASE_URL": value, "HTTP_PROXY": value}) == {}


@pytest.mark.parametrize("value", PLAIN_VALUES)
def test_plain_values_are_kept(value: str) -> None:
    """An address without a password is a setting, and so is what only looks like one."""
    assert child_environment({"SERVICE_URL": value}) == {"SERVICE_URL": value}


@pytest.mark.parametrize("value", ["", "0", "true", "FALSE", "off"])
def test_a_switch_is_no_secret(value: str) -> None:
    """Whatever it is called, unless it is the runner's."""
    assert child_environment({"REQUIRE_AUTH": value, "ACTIONS_TOKEN": value}) == {"REQUIRE_AUTH": value}


def test_what_is_given_on_purpose_is_passed_on() -> None:
    """A secret that the configuration itself hands over is meant to arrive."""
    assert child_environment({"A": "1"}, {"DB_PASSWORD": "demo", "A": "2"}) == {"A": "2", "DB_PASSWORD": "demo"}


def test_names_can_be_passed_and_blocked() -> None:
    """Passed is kept though it looks like a secret; blocked goes, also where it is passed; the runner's goes always."""
    environ = {"DB_PASSWORD": "x", "DB_TOKEN": "x", "REGION": "x", "ACTIONS_RUNTIME_TOKEN": "x", "URL": "a://b:c@d"}
    kept = child_environment(environ, passed=["DB_*", "ACTIONS_*", "URL"], blocked=["DB_TOKEN", "REG*"])
    assert kept == {"DB_PASSWORD": "x", "URL": "a://b:c@d"}
    assert withheld(environ) == environ.keys() - {"REGION"}


def test_docker_finds_its_engine() -> None:
    """The agent's socket is needed where the engine is reached by SSH, and nowhere else."""
    agent = {"SSH_AUTH_SOCK": "/run/agent", "DOCKER_HOST": "ssh://build.example.org"}
    assert docker.environment(agent) == agent
    assert docker.environment(agent | {"DOCKER_HOST": "tcp://127.0.0.1:1"}) == {"DOCKER_HOST": "tcp://127.0.0.1:1"}


NAMES = st.text(string.ascii_uppercase + string.digits + "_", min_size=1, max_size=30)


@given(prefix=NAMES, name=st.sampled_from(["TOKEN", "SECRET", "PASSWORD", "API_KEY", "PRIVATE_KEY", "CREDENTIALS"]))
def test_any_prefix(prefix: str, name: str) -> None:
    """A service's own name before the word makes no difference."""
    assert child_environment({f"{prefix}_{name}": "x"}) == {}


@given(environ=st.dictionaries(st.text(), st.text()), passed=st.lists(st.text()), blocked=st.lists(st.text()))
def test_nothing_is_changed_or_added(environ: dict[str, str], passed: list[str], blocked: list[str]) -> None:
    """Whatever names and values are given, each is passed on as it was or not at all."""
    kept = child_environment(environ, passed=passed, blocked=blocked)
    assert kept.items() <= environ.items()
    assert withheld(environ, passed=passed, blocked=blocked) == environ.keys() - kept.keys()
