"""
Chooses the interpreter that drives a plan: perfci's own, or an environment with the packages that the profile requires.
"""

from collections.abc import Mapping
from dataclasses import replace

from perfci.pipeline.plan import Plan
from perfci.pipeline.ports import Ports
from perfci.rig.load import packages


def equipped(plan: Plan, ports: Ports, environ: Mapping[str, str]) -> Plan:
    """*plan* with an interpreter that has its requirements; ConfigError or LoadError where they cannot be installed."""
    if not plan.requirements:
        return plan
    ports.progress.phase("installing what the Locust file requires")
    python = packages.interpreter(plan.requirements, environ=environ, state=ports.state)
    return replace(plan, runtime=replace(plan.runtime, interpreter=python))
