"""
Locust's own options and variables, which a profile may not set, since the scenario decides them.

Named here, since Locust patches the process that imports it; a test compares them with the installed Locust.
"""

VARIABLES = frozenset(
    f"LOCUST_{name}"
    for name in (
        *("AUTOQUIT", "AUTOSTART", "BUILD_PATH", "CONFIG_USERS", "CSV", "CSV_FULL_HISTORY", "ENABLE_OPENTELEMETRY"),
        *("EXCLUDE_TAGS", "EXIT_CODE_ON_ERROR", "EXPECT_WORKERS", "EXPECT_WORKERS_MAX_WAIT", "HEADFUL", "HEADLESS"),
        *("HOST", "HTML", "LEGACY_UI", "LOCUSTFILE", "LOGFILE", "LOGLEVEL", "MASTER_BIND_HOST", "MASTER_BIND_PORT"),
        *("MASTER_NODE_HOST", "MASTER_NODE_PORT", "MODE_MASTER", "MODE_WORKER", "ONLY_SUMMARY", "PLAYWRIGHT"),
        *("PRINT_STATS", "PROCESSES", "RESET_STATS", "RUN_TIME", "SKIP_LOG_SETUP", "SKIP_MONKEY_PATCH"),
        *("SKIP_URLLIB", "SPAWN_RATE", "STOP_TIMEOUT", "TAGS", "TLS_CERT", "TLS_KEY", "USERCLASS_PICKER", "USERS"),
        *("USER_CLASSES", "WAIT_FOR_WORKERS_REPORT_AFTER_RAMP_UP", "WEB_AUTH", "WEB_BASE_PATH", "WEB_HOST"),
        *("WEB_HOST_DISPLAY_NAME", "WEB_LOGIN", "WEB_PORT", "WORKER_ADDITIONAL_WAIT_BEFORE_READY_AFTER_STOP"),
    )
)

OPTIONS = frozenset(
    (
        *("-E", "-H", "-L", "-P", "-T", "-V", "-f", "-h", "-l", "-r", "-s", "-t", "-u"),
        *("--autoquit", "--autostart", "--build-path", "--class-picker", "--config", "--config-users", "--csv"),
        *("--csv-full-history", "--enable-rebalancing", "--equal-weights", "--exclude-tags", "--exit-code-on-error"),
        *("--expect-slaves", "--expect-workers", "--expect-workers-max-wait", "--headful", "--headless", "--help"),
        *("--host", "--html", "--json", "--json-file", "--legacy-ui", "--list", "--locustfile", "--logfile"),
        *("--loglevel", "--master", "--master-bind-host", "--master-bind-port", "--master-host", "--master-port"),
        *("--only-summary", "--otel", "--print-stats", "--processes", "--profile", "--reset-stats", "--run-time"),
        *("--show-task-ratio", "--show-task-ratio-json", "--skip-log-setup", "--slave", "--spawn-rate"),
        *("--stop-timeout", "--tags", "--tls-cert", "--tls-key", "--users", "--version", "--web-auth"),
        *("--web-base-path", "--web-host", "--web-host-display-name", "--web-login", "--web-port", "--worker"),
    )
)


def option_in(argument: str) -> str:
    """Locust's option that *argument* of a command line sets, with its value or without; empty where it sets none."""
    name = argument.partition("=")[0] if argument.startswith("--") else argument[:2]
    return name if name in OPTIONS else ""
