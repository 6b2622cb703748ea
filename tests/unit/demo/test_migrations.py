"""The schema that the migrations make."""

from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, inspect

import demo.app  # loads every model
from demo.common.migrate import alembic_config, upgrade
from demo.common.models import Base


def test_the_migrations_make_what_the_models_say_and_can_be_run_again(tmp_path: Path) -> None:
    """Alembic sees no difference between the two, after the first run as after the second."""
    engine = create_engine(f"sqlite:///{tmp_path / 'demo.sqlite'}")
    for _ in range(2):
        upgrade(engine)
        with engine.connect() as connection:
            assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
    engine.dispose()


def test_what_was_migrated_can_be_taken_back(tmp_path: Path) -> None:
    """Every table goes, but for the one in which Alembic keeps its books."""
    engine = create_engine(f"sqlite:///{tmp_path / 'demo.sqlite'}")
    upgrade(engine)
    config = alembic_config()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
    assert inspect(engine).get_table_names() == ["alembic_version"]
    engine.dispose()


@pytest.mark.parametrize("folder", sorted((Path(demo.app.__file__).parent).glob("*/migrations")), ids=str)
def test_each_system_has_migrations_of_its_own(folder: Path) -> None:
    """None of them names a table of another system, but for the accounts."""
    own = "\n".join(path.read_text() for path in folder.glob("*.py"))
    package = f"demo.{folder.parent.name}."
    tables = {mapper.local_table.name: mapper.class_.__module__ for mapper in Base.registry.mappers}  # type: ignore[attr-defined]
    strangers = [name for name, module in tables.items() if not module.startswith((package, "demo.common."))]
    assert [name for name in strangers if f'"{name}' in own] == []
