"""The schema, by Alembic: each system has its own migrations and its own head."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, text

_DEMO = Path(__file__).parents[1]
_ANY_NUMBER = 1_402_100  # of the lock that two processes starting at once take in turn


def alembic_config() -> Config:
    """The migrations of the accounts and of every system: `demo/*/migrations`."""
    config = Config()
    config.set_main_option("script_location", str(_DEMO / "migrations"))
    config.set_main_option("path_separator", "newline")
    folders = sorted(str(folder) for folder in _DEMO.glob("*/migrations"))
    config.set_main_option("version_locations", "\n".join(folders))
    return config


def upgrade(engine: Engine) -> None:
    """Bring the schema to the newest version of every system; what is there already is left alone."""
    config = alembic_config()
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_ANY_NUMBER})"))
        config.attributes["connection"] = connection
        command.upgrade(config, "heads")
