"""JMeter's results (`.jtl`) as CSV and as XML: every sample, in whole milliseconds."""

import io
from xml.etree import ElementTree as ET

from perfci.importers.content import Content, count, number
from perfci.importers.foreign import ForeignResult, Sample, requests_of

TOOL = "JMeter"
WHOLE = "JMeter notes times in whole milliseconds"
_SAMPLES = {"httpSample", "sample"}


def is_csv(content: Content) -> bool:
    """Whether its first line has JMeter's columns."""
    return {"timeStamp", "elapsed", "label"} <= set(content.columns) or (
        ";" in content.first_line and {"timeStamp", "elapsed", "label"} <= set(content.first_line.split(";"))
    )


def parse_csv(content: Content) -> ForeignResult:
    """Every sample; the time stamp is that of its beginning."""
    delimiter = "," if len(content.columns) > 1 else ";"
    samples = [
        Sample(
            name=row["label"],
            start_s=(number(row["timeStamp"]) or 0.0) / 1000,
            latency_ms=number(row["elapsed"]) or 0.0,
            failed=row.get("success", "true").strip().lower() == "false",
            status=_status(row.get("responseCode")),
            size=count(row.get("bytes")) or 0,
        )
        for row in content.rows(delimiter)
    ]
    return ForeignResult(tool=TOOL, requests=requests_of(samples), notes=(WHOLE,))


def is_xml(content: Content) -> bool:
    """Whether *content* is JMeter's XML."""
    return "<testResults" in content.head[:2000]


def parse_xml(content: Content) -> ForeignResult:
    """Every sample that is not part of another one: a transaction counts as a whole."""
    if "<!DOCTYPE" in content.text or "<!ENTITY" in content.text:
        raise ValueError("it declares entities, as JMeter never does")
    samples = []
    depth = 0
    try:
        for event, element in ET.iterparse(io.BytesIO(content.data), events=("start", "end")):  # noqa: S314  # no entities: see above
            if element.tag not in _SAMPLES:
                continue
            depth += 1 if event == "start" else -1
            if event == "end" and depth == 0:
                samples.append(_sample(element))
                element.clear()
    except ET.ParseError as error:
        raise ValueError(f"it is no whole XML document ({error})") from None
    return ForeignResult(tool=TOOL, requests=requests_of(samples), notes=(WHOLE,))


def _sample(element: ET.Element) -> Sample:
    return Sample(
        name=element.attrib["lb"],
        start_s=(number(element.attrib["ts"]) or 0.0) / 1000,
        latency_ms=number(element.attrib["t"]) or 0.0,
        failed=element.attrib.get("s", "true") == "false",
        status=_status(element.attrib.get("rc")),
        size=count(element.attrib.get("by")) or 0,
    )


def _status(text: str | None) -> int:
    """The HTTP status; 0 for the text that JMeter writes where there was no response."""
    return int(text) if text and text.isdigit() and len(text) == 3 else 0
