"""The list of faults, the tests that stand for them and the page that shows them are one."""

from tests.faults import FAULTS
from tests.faults.table import PAGE, page, rows


def test_no_fault_of_the_list_is_without_a_test() -> None:
    """Every row of the list is made to happen by somebody."""
    held = {(row.where, row.what) for row in rows()}
    assert [
        f"{where}: {what}" for where, faults in FAULTS.items() for what in faults if (where, what) not in held
    ] == []


def test_the_page_is_what_the_tests_say() -> None:
    """`python -m tests.faults.table` writes it."""
    assert PAGE.read_text(encoding="utf-8") == page()
