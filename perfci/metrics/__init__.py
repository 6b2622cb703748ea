"""What a metric is, and how the requests of a round are reduced to one value per metric and endpoint."""

from perfci.metrics.registry import METRICS, kinds, measure, measure_duet, needs_schedule, resolving

__all__ = ["METRICS", "kinds", "measure", "measure_duet", "needs_schedule", "resolving"]
