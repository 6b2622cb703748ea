"""Writes `docs/performance-baselines.md` from the runs that were measured for `docs/systems.md`."""

import csv
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

HEAD = """\
# Performance baselines

What the demo's endpoints take, as measured. `make systems` writes this page from the runs behind
[the five systems](systems.md), at smoke size and on the machine named below: another machine has other numbers. The
gate does not compare with these, but with the stored runs in `baselines/`.

"""
TAIL = """\
## Resources

| | Limit | From |
| :--- | :--- | :--- |
| Processor of the service | 80 % of the one core that it can use | alert `cpu` of `perfci.toml` |
| Memory of the service | 400 MB | alert `memory` of `perfci.toml` |
| Connections to the database | 40, none waited for | `demo/common/database.py` |
| Hit rate of the cache | 80 %, dashboards 90 % | the SLOs of `perfci.toml` |

## Degradation and scaling

One process has 40 places for requests; 200 more may wait, and what comes beyond them is refused with 503 at once. So
latency grows with the number of waiting users up to that point, and failures grow after it. More throughput takes more
processes: `docker compose up --scale api=3`, each with up to 40 connections of the 200 of the database.

The `stress` scenarios climb in steps; their SLO on `breaking_point` says with how many users the first limit was left.
"""
COLUMNS = ("Requests", "Failed", "Mean", "p50", "p95", "Requests/s")


def write(runs: Mapping[str, Path]) -> str:
    """The whole page; *runs* are folders by scenario."""
    known = {name: folder for name, folder in runs.items() if (folder / "result.json").is_file()}
    return HEAD + "".join(f"{line}\n" for name in known for line in _section(name, known[name])) + TAIL


def _section(name: str, folder: Path) -> Iterator[str]:
    result = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    yield f"## `{name}`"
    yield ""
    yield f"{result['subject']['machine']}; perfci {result['perfci']}. {_gauges(result['gauges'])}"
    yield ""
    yield "| Endpoint | " + " | ".join(COLUMNS) + " |"
    yield "| :--- |" + " ---: |" * len(COLUMNS)
    with (folder / "report.csv").open(newline="", encoding="utf-8") as file:
        yield from (_line(row) for row in csv.DictReader(file))
    yield ""


def _gauges(gauges: list[dict[str, Any]]) -> str:
    named = {"machine/cpu", "process/cpu", "process/memory"}
    shown = [each for each in gauges if each["name"] in named and each["candidate"]]
    return ", ".join(f"{each['name']} {each['candidate']['mean']:.3g} {each['unit']}" for each in shown)


def _line(row: Mapping[str, str]) -> str:
    name = f"{row['Type']} {row['Name']}".strip()
    times = (_ms(row["Average Response Time"]), _ms(row["p50"]), _ms(row["p95"]))
    cells = (row["Request Count"], row["Failure Count"], *times, f"{float(row['Requests/s'] or 0):.1f}")
    return f"| `{name}` | " + " | ".join(cells) + " |"


def _ms(text: str) -> str:
    return f"{float(text):.3g} ms" if text else "-"
