"""perfci: a performance gate for pull requests, with load by Locust and a verdict that can say "cannot tell"."""

__version__ = "0.1.0"
