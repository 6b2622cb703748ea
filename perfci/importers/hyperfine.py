"""hyperfine's results as JSON: the wall time of each run of a command, in seconds."""

from perfci.importers.content import Content, count, milliseconds
from perfci.importers.foreign import ForeignResult, Sample, requests_of


def recognises(content: Content) -> bool:
    """Whether *content* is what `hyperfine --export-json` writes."""
    results = content.fields.get("results")
    first = results[0] if isinstance(results, list) and results else None
    return isinstance(first, dict) and {"command", "mean"} <= set(first)


def parse(content: Content) -> ForeignResult:
    """Each run of a command as a request, one after the other."""
    samples: list[Sample] = []
    for result in content.fields["results"]:
        codes = result.get("exit_codes") or []
        start_s = 0.0
        for number, seconds in enumerate(result["times"]):
            latency = milliseconds(seconds, "s") or 0.0
            failed = bool(count(codes[number])) if number < len(codes) and codes[number] is not None else False
            samples.append(Sample(name=str(result["command"]), start_s=start_s, latency_ms=latency, failed=failed))
            start_s += latency / 1000
    return ForeignResult(tool="hyperfine", requests=requests_of(samples))
