"""Reads what `[monitor]` asks to be monitored under load."""

from perfci.config import Config
from perfci.rig import monitor


def monitor_settings(config: Config, *, file: str) -> monitor.Settings:
    """What `[monitor]` asks to be monitored."""
    table = config.monitor
    return monitor.parse(
        table.gauges,
        where=f"{file}: [monitor.gauges]",
        enabled=table.enabled == "auto",
        exclude=table.exclude,
        allow_hosts=table.allow_hosts,
        availability=table.availability,
    )
