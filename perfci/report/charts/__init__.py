"""
The pictures of the HTML report: static SVG, drawn by Vega-Lite.

A module makes the Vega-Lite specification of one kind of chart, `drawing` draws it. A chart shows what a table beside
it says, too: without the library the tables stand alone.
"""

from perfci.report.charts.drawing import Chart

__all__ = ["Chart"]
