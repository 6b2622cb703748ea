"""The recipes of docs/two-sides.md: each side runs with the dependencies of its own lock file."""

import io
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import requests

from perfci.errors import TargetError
from perfci.model import Side
from perfci.rig import target

PAGE = Path(__file__).parents[2] / "docs/two-sides.md"
VERSIONS = {Side.BASE: "1.0.0", Side.CANDIDATE: "2.0.0"}
OFFLINE = re.compile(r"Could not transfer artifact|Unknown host|Network is unreachable|in offline mode")

SERVE_PYTHON = """
import argparse, http.server, dep

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(dep.VERSION.encode())

parser = argparse.ArgumentParser()
parser.add_argument("--port", type=int)
http.server.HTTPServer(("127.0.0.1", parser.parse_args().port), Handler).serve_forever()
"""
SERVE_NODE = """
require("http").createServer((_, answer) => answer.end(require("dep"))).listen(process.env.PORT, "127.0.0.1");
"""
SERVE_GO = """
package main

import (
    "flag"
    "io"
    "net/http"

    "example.test/dep"
)

func main() {
    listen := flag.String("listen", "", "")
    flag.Parse()
    http.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, dep.Version) })
    http.ListenAndServe(*listen, nil)
}
"""
SERVE_RUBY = """
require "socket"
require "dep"

server = TCPServer.new("127.0.0.1", ARGV[1].to_i)
loop do
  client = server.accept
  nil until client.gets.to_s.strip.empty?
  client.print "HTTP/1.1 200 OK\\r\\nConnection: close\\r\\nContent-Length: 5\\r\\n\\r\\n#{Dep::VERSION}"
  client.close
end
"""
SERVE_JAVA = """
package shop;

import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;

public class Main {
    public static void main(String[] arguments) throws Exception {
        int port = Integer.parseInt(arguments[0].replace("--server.port=", ""));
        byte[] version = new byte[5];
        Main.class.getResourceAsStream("/dep").read(version);
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", port), 0);
        server.createContext("/", exchange -> {
            exchange.sendResponseHeaders(200, version.length);
            exchange.getResponseBody().write(version);
            exchange.close();
        });
        server.start();
    }
}
"""
POM = """
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>example.test</groupId>
  <artifactId>shop</artifactId>
  <version>1</version>
  <properties>
    <maven.compiler.source>8</maven.compiler.source>
    <maven.compiler.target>8</maven.compiler.target>
    <project.build.sourceEncoding>UTF-8</project.build.sourceEncoding>
    <dep>{version}</dep>
  </properties>
  <build>
    <finalName>shop</finalName>
    <resources><resource><directory>resources</directory><filtering>true</filtering></resource></resources>
    <plugins><plugin>
      <artifactId>maven-jar-plugin</artifactId>
      <configuration><archive><manifest><mainClass>shop.Main</mainClass></manifest></archive></configuration>
    </plugin></plugins>
  </build>
</project>
"""


def _write(tree: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(text)


def _run(tree: Path, *command: str) -> None:
    subprocess.run(command, cwd=tree, check=True, capture_output=True, timeout=60, env=_environ())


def _environ() -> dict[str, str]:
    """The environment, with the programs that came with perfci's own tools at hand."""
    return {**os.environ, "PATH": f"{os.environ['PATH']}:{Path(sys.executable).parent}"}


def _wheel(tree: Path, version: str) -> str:
    """A package whose version is all there is to it."""
    name, information = f"dep-{version}-py3-none-any.whl", f"dep-{version}.dist-info"
    with zipfile.ZipFile(tree / name, "w") as wheel:
        wheel.writestr("dep.py", f'VERSION = "{version}"\n')
        wheel.writestr(f"{information}/METADATA", f"Metadata-Version: 2.1\nName: dep\nVersion: {version}\n")
        wheel.writestr(
            f"{information}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{information}/RECORD", "")
    return name


def _python_with_pip(tree: Path, version: str) -> None:
    _write(tree, {"shop/__main__.py": SERVE_PYTHON, "requirements.txt": f"./{_wheel(tree, version)}\n"})


def _python_with_uv(tree: Path, version: str) -> None:
    project = '[project]\nname = "shop"\nversion = "1"\nrequires-python = ">=3.9"\ndependencies = ["dep"]\n'
    source = f'[tool.uv]\npackage = false\n[tool.uv.sources]\ndep = {{ path = "{_wheel(tree, version)}" }}\n'
    _write(tree, {"shop/__main__.py": SERVE_PYTHON, "pyproject.toml": project + source})
    _run(tree, "uv", "lock", "--offline")


def _node(tree: Path, version: str) -> None:
    files = {
        "package.json": json.dumps({"name": "dep", "version": version}),
        "index.js": f'module.exports = "{version}";',
    }
    with tarfile.open(tree / f"dep-{version}.tgz", "w:gz") as package:
        for name, text in files.items():
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(text)
            package.addfile(member, io.BytesIO(text.encode()))
    project = {"name": "shop", "version": "1.0.0", "dependencies": {"dep": f"file:dep-{version}.tgz"}}
    _write(tree, {"server.js": SERVE_NODE, "package.json": json.dumps(project)})
    _run(tree, "npm", "install", "--package-lock-only", "--offline", "--ignore-scripts")


def _go(tree: Path, version: str) -> None:
    module = (
        "module example.test/shop\n\ngo 1.21\n\nrequire example.test/dep v1.0.0\n\nreplace example.test/dep => ./dep\n"
    )
    _write(
        tree,
        {
            "go.mod": module,
            "cmd/shop/main.go": SERVE_GO,
            "dep/go.mod": "module example.test/dep\n\ngo 1.21\n",
            "dep/dep.go": f'package dep\n\nconst Version = "{version}"\n',
        },
    )


def _ruby(tree: Path, version: str) -> None:
    gem = 'Gem::Specification.new { |s| s.name = "%s"; s.version = "%s"; s.summary = "-"; s.authors = ["-"]; %s }\n'
    server = 's.files = ["bin/puma"]; s.bindir = "bin"; s.executables = ["puma"]'
    _write(
        tree,
        {
            "Gemfile": 'gem "dep", path: "vendor/dep"\ngem "puma", path: "vendor/puma"\n',
            "vendor/dep/dep.gemspec": gem % ("dep", version, 's.files = ["lib/dep.rb"]'),
            "vendor/dep/lib/dep.rb": f'module Dep\n  VERSION = "{version}"\nend\n',
            "vendor/puma/puma.gemspec": gem % ("puma", "1", server),
            "vendor/puma/bin/puma": SERVE_RUBY,
        },
    )
    (tree / "vendor/puma/bin/puma").chmod(0o755)
    _run(tree, "bundle", "lock", "--local")


def _java(tree: Path, version: str) -> None:
    pom = POM.replace("{version}", version)
    _write(tree, {"pom.xml": pom, "resources/dep": "${dep}", "src/main/java/shop/Main.java": SERVE_JAVA})


PROJECTS: Mapping[str, Callable[[Path, str], None]] = {
    "Python with pip": _python_with_pip,
    "Python with uv": _python_with_uv,
    "Node": _node,
    "Go": _go,
    "Ruby": _ruby,
    "Java": _java,
}


def _recipes() -> dict[str, dict[str, Any]]:
    """The keys of [target] by ecosystem, as the page has them."""
    page = PAGE.read_text()
    lines = page[page.index("| Ecosystem") :].partition("\n\n")[0].splitlines()
    keys = [cell.strip(" `") for cell in lines[0].strip("|").split(" | ")]
    found = {}
    for line in lines[2:]:
        cells = [cell.strip(" `") for cell in line.strip("|").split(" | ")]
        text = "\n".join(f"{key} = {cell}" for key, cell in zip(keys[1:], cells[1:], strict=False) if cell)
        found[cells[0]] = tomllib.loads(text)
    return found


def test_every_recipe_is_tried() -> None:
    """A row without a project to try it on is not believed."""
    assert list(_recipes()) == list(PROJECTS)


@pytest.mark.parametrize("ecosystem", PROJECTS)
def test_each_side_has_the_dependencies_of_its_own_lock_file(ecosystem: str, tmp_path: Path) -> None:
    """Two versions of one dependency answer side by side, with the commands as the page has them."""
    recipe = _recipes()[ecosystem]
    environ = _environ()
    for program in (recipe["build"][0], recipe["command"][0]):
        if "/" not in program and shutil.which(program, path=environ["PATH"]) is None:
            pytest.skip(f"{program} is not on this machine")
    options = target.parse({"kind": "command", **recipe}, where="two-sides.md")
    with ExitStack() as stack:
        waiting = {}
        for side, version in VERSIONS.items():
            tree = tmp_path / side
            tree.mkdir()
            PROJECTS[ecosystem](tree, version)
            where: dict[str, Any] = {
                "source": tree,
                "workspace": tmp_path / "logs",
                "state": tmp_path / "state",
                "side": side,
                "label": f"recipe-{side}",
                "environ": environ,
            }
            try:
                target.prepare(options, **where)
            except TargetError as error:
                if OFFLINE.search(str(error)):
                    pytest.skip(f"{recipe['build'][0]} reaches no registry")
                raise
            waiting[side] = stack.enter_context(target.starting(options, **where))
        answers = {side: requests.get(ready().base_url, timeout=10).text for side, ready in waiting.items()}
    assert answers == VERSIONS
