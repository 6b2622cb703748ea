"""The cost of the set-up is read from what bash writes before each command."""

from bench.setup_cost import Cost, phases_of, table

TRACE = """
+ 100.000000 cd /tmp/perfci-1
+ 100.500000 /usr/bin/python3 -I -B -m venv --without-pip /tmp/perfci-1/venv
+ 101.000000 install
+ 101.000000 /usr/bin/python3 -I -B -m pip install --quiet
+ 103.000000 tools/bin/uv --no-config pip install
++ 106.000000 /tmp/perfci-1/venv/bin/python -I -c 'import sysconfig'
+ 106.250000 cp -R /action/perfci /tmp/perfci-1
+ 107.000000 /tmp/perfci-1/venv/bin/python -I -m compileall -q
+ 107.000000 /tmp/perfci-1/venv/bin/python -I -c 'import locust.main'
+ 107.000000 rm -rf tools cache
+ 108.000000 wait
+ 109.000000 printf 'run=%s\\n' /tmp/perfci-1/run
"""


def test_a_phase_lasts_until_the_next_command() -> None:
    """What runs beside the last one, or waits for it, is part of it."""
    assert phases_of(TRACE) == {
        "virtual environment": 0.5,
        "pip installs uv": 2.0,
        "uv installs the rest": 3.0,
        "copy perfci": 0.75,
        "compile and remove": 2.0,
    }


def test_the_table_has_the_median_and_its_limits() -> None:
    """Of seconds, processor time and megabytes."""
    costs = [Cost(phases={"p": n}, starts={"s": 2 * n}, seconds=3 * n, cpu_s=n, mb=100 * n) for n in (1.0, 3.0, 2.0)]
    first, whole, size, start = table(costs).splitlines()
    assert first.split() == ["p", "2.00", "s"]
    assert whole.split() == ["the", "set-up", "6.00", "s", "of", "5;", "2.00", "s", "of", "processor", "time"]
    assert size.split() == ["on", "disk", "200", "MB", "of", "380"]
    assert start.split() == ["s", "4.00", "s"]
