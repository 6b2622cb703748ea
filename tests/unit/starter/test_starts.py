"""How a service is started, as `perfci init` reads it from the files of a repository."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from perfci.rig import target
from perfci.starter.files import Files
from perfci.starter.guesses import Start
from perfci.starter.looking import Look, chosen, look

COMPOSE = """
services:
  db: {image: "postgres:16", ports: ["5432:5432"]}
  proxy: {image: "traefik:3", ports: ["80:80"], depends_on: [api]}
  api:
    build: .
    ports: ["127.0.0.1:${API_PORT:-8080}:8000", "9229:9229"]
    depends_on: {db: {condition: service_healthy}}
    healthcheck: {test: ["CMD", "curl", "-f", "http://localhost:8000/live"]}
  seed: {build: ./seed, profiles: [seed], ports: ["1:1"]}
"""
PACKAGE = '{"dependencies": {"express": "^5"}, "main": "src/index.js", "scripts": {"start": "START"}}'


def _look(folder: Path, files: Mapping[str, str]) -> Look:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return look(Files(folder))


def _start(folder: Path, files: Mapping[str, str], kind: str | None = None) -> Start:
    start = chosen(_look(folder, files), kind)
    assert start is not None
    target.parse({**start.table, "ready": {"tcp": True}}, where="the guess")  # it can be used as it stands
    return start


def test_a_compose_service_is_the_one_that_is_built(tmp_path: Path) -> None:
    """Not the database, not the proxy, not what a profile adds; its port is that within the container."""
    start = _start(tmp_path, {"compose.yaml": COMPOSE, "main.py": "app = FastAPI()"})
    assert start.table == {"kind": "compose", "file": "compose.yaml", "service": "api", "port": 8000}
    assert start.health == "/live"


def test_a_compose_file_of_databases_alone_starts_nothing(tmp_path: Path) -> None:
    """The service is then started by what else is there."""
    files = {
        "compose.yml": "services:\n  db: {image: 'postgres:16', ports: ['5432']}\n",
        "main.py": "app = FastAPI()\n",
    }
    assert _start(tmp_path, files).kind == "command"


def test_variables_that_git_does_not_have_are_told(tmp_path: Path) -> None:
    """A fresh checkout lacks them, and so does the base."""
    text = "services:\n  web:\n    build: .\n    env_file: .env\n    ports: ['3000']\n"
    start = _start(tmp_path, {"compose.yml": text, ".env.example": ""})
    assert [each for each in start.todo if ".env" in each]


@pytest.mark.parametrize(
    ("files", "command"),
    [
        pytest.param(
            {"main.py": "app = FastAPI()\n", "requirements.txt": "fastapi\n"},
            [".perfci/venv/bin/python", "-m", "uvicorn", "main:app", "--port", "{port}"],
            id="fastapi",
        ),
        pytest.param(
            {"src/shop/__init__.py": "", "src/shop/web.py": "api: FastAPI = fastapi.FastAPI(\n"},
            ["env", "-C", "src", "../.perfci/venv/bin/python", "-m", "uvicorn", "shop.web:api", "--port", "{port}"],
            id="fastapi-in-a-folder",
        ),
        pytest.param(
            {"shop/__init__.py": "def create_app():\n    return flask.Flask('shop')\n"},
            [".perfci/venv/bin/python", "-m", "flask", "--app", "shop:create_app", "run", "--port", "{port}"],
            id="flask-factory",
        ),
        pytest.param(
            {"package.json": PACKAGE.replace("START", "node src/index.js"), "src/index.js": "listen(process.env.PORT)"},
            ["node", "src/index.js"],
            id="express",
        ),
        pytest.param(
            {"package.json": PACKAGE.replace("START", "nodemon src"), "src/index.js": "listen(process.env.PORT)"},
            ["node", "src/index.js"],
            id="express-watched",
        ),
        pytest.param(
            {"package.json": PACKAGE.replace("START", "nx serve"), "server.ts": "listen(process.env.PORT)"},
            ["npm", "start", "--silent"],
            id="node-by-its-script",
        ),
        pytest.param(
            {"go.mod": "module example.test/shop\n", "cmd/shop/main.go": 'package main\nflag.String("addr", ":1")\n'},
            [".perfci/service", "--addr=127.0.0.1:{port}"],
            id="go-with-a-flag",
        ),
        pytest.param(
            {
                "go.mod": "module example.test/shop\n",
                "cmd/tool/main.go": "package main\n",
                "cmd/web/main.go": 'package main\nvar p = os.Getenv("PORT")\nhttp.ListenAndServe(p, nil)\n',
            },
            [".perfci/service"],
            id="go-with-two-programs",
        ),
        pytest.param(
            {"config.ru": "", "Gemfile": 'gem "rails", "~> 8"\n'},
            ["sh", "-c", "bin/rails db:prepare && exec bin/rails server --port {port} --binding 127.0.0.1"],
            id="rails",
        ),
        pytest.param({"Procfile": "web: ./serve $PORT\n"}, ["sh", "-c", "./serve $PORT"], id="procfile"),
    ],
)
def test_commands(tmp_path: Path, files: Mapping[str, str], command: list[str]) -> None:
    """Each framework is started in its own way, and told the port that perfci chooses."""
    assert _start(tmp_path, files).table["command"] == command


def test_django_is_migrated_before_it_serves(tmp_path: Path) -> None:
    """By `manage.py`, without its reloader, where no Procfile says otherwise."""
    files = {"site/manage.py": "import django\n", "requirements.txt": "Django\n"}
    command = _start(tmp_path, files).table["command"]
    python = "../.perfci/venv/bin/python"
    serve = f"{python} manage.py migrate --noinput && exec {python} manage.py runserver --noreload 127.0.0.1:{{port}}"
    assert command == ["env", "-C", "site", "sh", "-c", serve]


def test_a_procfile_says_how_a_framework_is_started(tmp_path: Path) -> None:
    """With the side's environment on its path; `release` comes before `web`, and what writes files is built once."""
    files = {
        "app.py": "app = Flask(__name__)\n",
        "Procfile": "release: ./migrate\nweb: assets compile && gunicorn app:app\n",
    }
    table = _start(tmp_path, files).table
    assert table["command"] == ["sh", "-c", 'PATH="$PWD/.perfci/venv/bin:$PATH"; ./migrate && gunicorn app:app']
    assert table["env"] == {"PORT": "{port}"}
    assert str(table["build"]).endswith('&& (PATH="$PWD/.perfci/venv/bin:$PATH"; assets compile)\']')


def test_a_database_in_a_file_is_new_in_each_start(tmp_path: Path) -> None:
    """Where a variable names it: what one block wrote the next does not see."""
    settings = 'DATABASE = os.environ.get("DATABASE_URL", "sqlite:///app.db")\n'
    start = _start(tmp_path, {"app.py": "app = Flask(__name__)\n" + settings})
    assert start.table["env"] == {"DATABASE_URL": "sqlite:///{dir}/perfci.db"}


@pytest.mark.parametrize(
    "reads", ['os.environ.get("NOTES_DB", "notes.db")', 'os.getenv("NOTES_DB", "data/notes.sqlite3")']
)
def test_a_variable_that_names_a_database_file_is_set(tmp_path: Path, reads: str) -> None:
    """The file is then in a folder of each start."""
    start = _start(tmp_path, {"app.py": f"app = Flask(__name__)\ndb = sqlite3.connect({reads})\n"})
    assert start.table["env"] == {"NOTES_DB": "{dir}/perfci.db"}
    assert start.todo == ()


def test_a_database_file_in_the_tree_is_told(tmp_path: Path) -> None:
    """Of any framework: what a block writes, the next one finds."""
    start = _start(tmp_path, {"app.py": 'app = FastAPI()\ndb = sqlite3.connect("notes.db")\n'})
    assert "env" not in start.table
    assert "outlives a block" in start.todo[0]


def test_a_port_that_nobody_can_choose_is_told(tmp_path: Path) -> None:
    """Two sides cannot listen at one address: somebody has to change the code."""
    files = {"package.json": PACKAGE.replace("START", "node src/index.js"), "src/index.js": "app.listen(3000)"}
    start = _start(tmp_path, files)
    assert start.table["url"] == "http://127.0.0.1:3000"
    assert "3000" in start.todo[0]


def test_a_dockerfile_alone_gets_a_compose_file(tmp_path: Path) -> None:
    """With the port that it exposes, and its health check."""
    text = "FROM scratch\nEXPOSE 8080\nHEALTHCHECK --interval=5s \\\n  CMD wget -q http://127.0.0.1:8080/alive\n"
    start = _start(tmp_path, {"Dockerfile": text})
    assert (start.kind, start.health, start.table["port"]) == ("dockerfile", "/alive", 8080)
    assert set(start.files) == {start.table["file"]}


def test_the_way_that_was_asked_for_is_taken(tmp_path: Path) -> None:
    """`--target` decides between those that are there."""
    files = {"compose.yaml": COMPOSE, "main.py": "app = FastAPI()\n", "Dockerfile": "FROM scratch\n"}
    kinds = {kind: _start(tmp_path, files, kind).kind for kind in ("compose", "command", "dockerfile")}
    assert all(kind == found for kind, found in kinds.items())


def test_a_repository_without_a_service_has_no_start(tmp_path: Path) -> None:
    """Nothing is invented; code of others, of tests and hidden files are not looked at."""
    files = {
        "README.md": "",
        "node_modules/x/package.json": PACKAGE,
        "tests/main.py": "app = FastAPI()\n",
        ".hidden/main.py": "app = FastAPI()\n",
        "compose.yaml": "services: [",
        "package.json": "[" * 5000,
    }
    assert _look(tmp_path, files).starts == ()


def test_links_out_of_the_repository_are_not_followed(tmp_path: Path) -> None:
    """What somebody put there as a link is no part of it."""
    (tmp_path / "outside").write_text("app = FastAPI()\n")
    (tmp_path / "inside").mkdir()
    (tmp_path / "inside/main.py").symlink_to(tmp_path / "outside")
    assert _look(tmp_path / "inside", {}).starts == ()


def test_a_locust_file_that_is_there_is_found(tmp_path: Path) -> None:
    """Also among tests; a k6 script gives its addresses, but for those that act or are put together."""
    script = (
        'import http from "k6/http";\nhttp.get(`${BASE}/items?page=2`);\nhttp.get("http://x.test/logout");\n'
        "http.get(`${BASE}/items/${id}`);"
    )
    seen = _look(tmp_path, {"k6/load.js": script})
    assert [(get.path, get.name) for get in seen.existing.gets] == [("/items?page=2", "/items")]
    users = "from locust import HttpUser\n\n\nclass Shopper(HttpUser):\n    pass\n"
    assert _look(tmp_path, {"tests/load/shop.py": users}).existing.locustfile == "tests/load/shop.py"


def test_declared_routes_are_candidates(tmp_path: Path) -> None:
    """Of all frameworks; none with a parameter, none that acts, and none of another method alone."""
    sources: dict[str, Any] = {
        "a.py": '@app.get("/items")\n@app.get("/items/{id}")\n@app.route("/form", methods=["POST"])\n',
        "auth.py": '@app.get("/logout")\n',
        "b.js": "router.get('/users', list)\nrouter.get('/users/:id', one)\n",
        "c.go": 'r.GET("/books", books)\nhttp.HandleFunc("/healthz", ok)\n',
        "config/routes.rb": '  get "/posts", to: "posts#index"\n',
        "urls.py": "urlpatterns = [path('shop/', views.shop), path('admin/', include(x)), path('<int:pk>/', one)]\n",
    }
    seen = _look(tmp_path, sources)
    assert set(seen.declared) == {"/items", "/users", "/books", "/healthz", "/posts", "/shop/"}
    assert seen.health == "/healthz"


def test_declared_parameters_are_named_in_one_way(tmp_path: Path) -> None:
    """As FastAPI, Flask, Go, Express and Rails write them; expressions and what acts are none."""
    sources: dict[str, Any] = {
        "a.py": '@app.get("/items/{id}")\n@app.get("/notes/<int:note_id>")\n@app.get("/files/{path:path}/raw")\n',
        "b.js": "router.get('/users/:id/posts', posts)\nrouter.get('/users/:id/delete', gone)\n",
        "c.go": 'mux.HandleFunc("GET /links/{id}", one)\nmux.HandleFunc("POST /links/{id}/visits", visit)\n',
        "urls.py": "urlpatterns = [path('shop/<int:pk>/', views.one), re_path(r'^old/(?P<year>[0-9]+)$', old)]\n",
    }
    assert set(_look(tmp_path, sources).parametrised) == {
        "/items/{id}",
        "/notes/{note_id}",
        "/files/{path}/raw",
        "/users/{id}/posts",
        "/links/{id}",
        "/shop/{pk}/",
    }


@pytest.mark.parametrize("lock", ["package-lock.json", "pnpm-lock.yaml", "yarn.lock", "README.md"])
def test_what_a_build_needs_is_installed(tmp_path: Path, lock: str) -> None:
    """The service runs as in production, and its build, which is given the same variables, needs its tools."""
    files = {
        "package.json": PACKAGE.replace("START", "node src/index.js"),
        "src/index.js": "process.env.PORT",
        lock: "{}",
    }
    table = _start(tmp_path, files).table
    assert table["env"] == {"PORT": "{port}", "NODE_ENV": "production"}
    assert any(word in str(table["build"]) for word in ("--include=dev", "--prod=false", "--production=false"))
