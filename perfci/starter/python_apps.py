"""Recognises FastAPI, Flask and Django services, each with a virtual environment per side."""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from perfci.starter.files import Files, folder_of, joined
from perfci.starter.guesses import Guess, Start

VENV = ".perfci/venv"
"""The virtual environment, in a folder that git ignores, in the tree of each side."""

BUILDS = re.compile(
    r"\b(collectstatic|compilemessages|compile|compress|assets:precompile|npm (ci|install|run build))\b"
)
"""Commands that belong to the build: two sides that start at the same time would write the same files."""

KEPT = (
    "the SQLite file of the service lies in its folder, and outlives a block: let a variable name it, and set that to a"
    " file in {dir}, in env of [target]"
)

SQLITE = r"sqlite3\.connect\(|sqlite(?:\+\w+)?:///|backends\.sqlite3"
DATABASE_FILE = r"(?:environ(?:\.get)?|getenv)[\[(]\s*[\"'](\w+)[\"'],\s*[\"'][\w./-]+\.(?:db|sqlite3?)[\"']"
"""A variable that names the file of a database, with the file that is used without it."""

REQUIREMENTS = ("requirements.txt", "requirements/base.txt", "requirements/prod.txt", "requirements/production.txt")


def starts(files: Files) -> Iterator[Start]:
    """Every recognised Python service, the most certain first."""
    web = _procfile(files)
    if application := _assigned(files, r"FastAPI|Starlette|Litestar"):
        file, variable, factory = application
        folder, module = importable(files, file)
        yield _start(
            files,
            folder,
            ["-m", "uvicorn", f"{module}:{variable}", "--port", "{port}"],
            (Guess("service", f"{factory} application {module}:{variable}", f"{file} assigns it"),),
            needs=("uvicorn",),
            web=web,
        )
    elif manage := next((name for name in files.matching(r"manage\.py") if "django" in files.text(name).lower()), ""):
        yield _django(files, manage, web)
    elif flask := _flask(files):
        yield _flask_start(files, *flask, web)


def _django(files: Files, manage: str, web: str) -> Start:
    folder = folder_of(manage)
    serve = "{python} manage.py migrate --noinput && exec {python} manage.py runserver --noreload 127.0.0.1:{port}"
    return _start(files, folder, serve, (Guess("service", "Django", f"{manage} is there"),), web=web)


def _flask(files: Files) -> tuple[str, str] | None:
    found = _assigned(files, r"Flask|create_app|make_app|(?:\w+\.)?create_app")
    if found:
        return found[0], found[1]
    factory = next(files.containing(r"^def (create_app|make_app)\(", r".*\.py"), None)
    return (factory[0], factory[1][1]) if factory and any(files.containing(r"\bflask\b", r".*\.py")) else None


def _flask_start(files: Files, file: str, variable: str, web: str) -> Start:
    folder, module = importable(files, file)
    name = f"{module}:{variable}"
    serve: str | list[str] = ["-m", "flask", "--app", name, "run", "--port", "{port}"]
    if any(name.endswith("migrations/env.py") for name in files.names):
        flask = f"{{python}} -m flask --app {name}"
        serve = f"{flask} db upgrade && exec {flask} run --port {{port}}"
    return _start(files, folder, serve, (Guess("service", f"Flask application {name}", f"{file} makes it"),), web=web)


def _assigned(files: Files, classes: str) -> tuple[str, str, str] | None:
    """The file, the variable and the class of an application at the top level of a module, nearest to the root."""
    found = next(files.containing(rf"^(\w+)(?:\s*:\s*[\w.]+)?\s*=\s*(?:\w+\.)?({classes})\(", r".*\.py"), None)
    return (found[0], found[1][1], found[1][2]) if found else None


def importable(files: Files, file: str) -> tuple[str, str]:
    """The folder from which the module *file* is imported, and its module name."""
    path = PurePosixPath(file)
    parts = [path.stem] if path.stem != "__init__" else []
    folder = folder_of(file)
    while folder and (joined(folder, "__init__.py") in files.names or _imports(files, PurePosixPath(folder).name)):
        parts.insert(0, PurePosixPath(folder).name)
        folder = folder_of(folder)
    return folder, ".".join(parts)


def _imports(files: Files, package: str) -> bool:
    return any(files.containing(rf"^(?:from|import) {re.escape(package)}[. ]", r".*\.py"))


def _procfile(files: Files) -> str:
    """The command of the process `web`, after that of `release`, if there is a Procfile."""
    lines = dict(re.findall(r"^(\w+):\s*(\S.*?)\s*$", files.text("Procfile"), re.MULTILINE))
    return " && ".join(lines[name] for name in ("release", "web") if name in lines) if "web" in lines else ""


def _start(
    files: Files,
    folder: str,
    serve: str | list[str],
    guesses: tuple[Guess, ...],
    *,
    needs: tuple[str, ...] = (),
    web: str = "",
) -> Start:
    up = "../" * (folder.count("/") + 1) if folder else ""
    python = f"{up}{VENV}/bin/python"
    install, source = _install(files, folder, needs if not web else ())
    env: dict[str, str] = {}
    if web:
        path = f'PATH="$PWD/{VENV}/bin:$PATH"'
        built, web = _built_once(web)
        install += "".join(f" && ({path}; {step})" for step in built)
        command = ["sh", "-c", f"{path}; {web}"]
        env["PORT"] = "{port}"
        guesses = (*guesses, Guess("command", web, "the Procfile says so, and gunicorn and others read PORT"))
    elif isinstance(serve, str):
        command = ["sh", "-c", serve.replace("{python}", python)]
    else:
        command = [python, *serve]
    if folder and not web:
        command = ["env", "-C", folder, *command]
    if own := _own_database(files):
        file, name, env[name] = own
        guesses = (*guesses, Guess("database", "SQLite, in a folder of each start", f"{file} reads {name}"))
    todo = (KEPT,) if not own and any(files.containing(SQLITE, r".*\.py")) else ()
    table: dict[str, object] = {"kind": "command", "build": ["sh", "-c", install], "command": command}
    if env:
        table["env"] = env
    why = "each side installs its own, so that a change of dependencies is measured"
    return Start(kind="command", table=table, guesses=(*guesses, Guess("dependencies", source, why)), todo=todo)


def _built_once(web: str) -> tuple[list[str], str]:
    """The build steps of a command line, and the line without them."""
    steps = re.split(r"(\s*(?:&&|;)\s*)", web)
    built = [step for step in steps[:-1:2] if BUILDS.search(step)]
    kept = [step + joint for step, joint in zip(steps[:-1:2], steps[1::2], strict=True) if step not in built]
    return built, "".join([*kept, steps[-1]])


def _install(files: Files, folder: str, needs: tuple[str, ...]) -> tuple[str, str]:
    """The shell line that creates the environment, and what it installs."""
    listed = files.first(*(joined(folder, name) for name in REQUIREMENTS), *REQUIREMENTS)
    project = files.first(joined(folder, "pyproject.toml"), joined(folder, "setup.py"), "pyproject.toml", "setup.py")
    what, where = "", "nothing that installs them was found"
    if listed:
        what, where = f"-r {listed}", listed
    elif project:
        what, where = f"./{folder_of(project)}", project
    known = files.text(listed or project).lower()
    extra = [name for name in needs if name not in known and "fastapi[" not in known]
    pip = f"{VENV}/bin/python -m pip install --quiet --disable-pip-version-check"
    packages = " ".join(filter(None, [what, *extra]))
    line = f"python3 -m venv {VENV}" + (f" && {pip} {packages}" if packages else "")
    return line, where + (f", with {', '.join(extra)}" if extra else "")


def _own_database(files: Files) -> tuple[str, str, str] | None:
    """The file that reads from a variable where an SQLite database is, the variable, and a value for it."""
    named = next(files.containing(DATABASE_FILE, r".*\.py"), None)
    if named:
        return named[0], named[1][1], "{dir}/perfci.db"
    found = next(files.containing(r"DATABASE_URL|dj_database_url", r".*\.py"), None)
    if found and any(files.containing(r"sqlite", r".*\.py")):
        return found[0], "DATABASE_URL", "sqlite:///{dir}/perfci.db"
    return None
