"""Writes `docs/performance-baselines.md` from the runs that were measured for `docs/systems.md`."""

import csv
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

HEAD = """\
# Performance baselines

What the demo's endpoints take, as measured. `make systems` writes this page from the runs behind
[the five systems](systems.md), on the machine named below: another machine has other numbers. A `-smoke` has few users,
the others have the documented number for a shorter time. Runs beside which the machine had other work are left out. The
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
latency grows with the number of waiting users up to that point, and failures grow after it. More throughput takes
[more processes](operations.md#more-processes), each with up to 40 connections of the 200 of the database.

What the last level of users bore before the first limit was left, in the runs above that climb in stages:

"""
CAPACITY = ("Users", "Requests/s", "For each core", "Then")
MOST_OTHER_CORES = 0.25
"""What else the machine may do beside the service and its load, on average over a run."""

COLUMNS = ("Requests", "Failed", "Mean", "p50", "p95", "Requests/s")


def write(runs: Mapping[str, Path]) -> str:
    """The whole page; *runs* are folders by scenario."""
    known = {name: folder for name, folder in runs.items() if (folder / "result.json").is_file()}
    results = {name: json.loads((folder / "result.json").read_text(encoding="utf-8")) for name, folder in known.items()}
    results = {name: result for name, result in results.items() if _other_cores(result) <= MOST_OTHER_CORES}
    sections = "".join(f"{line}\n" for name in results for line in _section(name, known[name], results[name]))
    return HEAD + sections + TAIL + "".join(f"{line}\n" for line in _capacities(results))


def _other_cores(result: Mapping[str, Any]) -> float:
    """Cores that neither the service nor the load generator used; 0 where nobody watched."""
    cores: dict[str, float] = {
        each["name"]: each["candidate"]["mean"] for each in result["gauges"] if each["candidate"]
    }
    used = sum(cores.get(name, 0.0) for name in ("process/cpu", "generator/cpu"))
    return max(0.0, cores.get("machine/cpu", 0.0) - used)


def _capacities(results: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """A table of the levels of users that were borne, and of what was left beyond them."""
    yield "| Scenario | " + " | ".join(CAPACITY) + " |"
    yield "| :--- | ---: | ---: | ---: | :--- |"
    for name, result in results.items():
        assessment = result.get("assessment") or {}
        if capacity := assessment.get("capacity"):
            then = next(each["evidence"] for each in assessment["analyses"] if each["metric"] == "breaking_point")
            rates = (capacity["per_second"], capacity["per_second"] / capacity["cores"])
            yield f"| `{name}` | {capacity['users']} | {rates[0]:.1f} | {rates[1]:.1f} | {then} |"


def _section(name: str, folder: Path, result: Mapping[str, Any]) -> Iterator[str]:
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
