"""Numbers in sentences, as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfci.sentences.series import count, number, signed


@pytest.mark.parametrize(
    ("value", "text"),
    [(1680.4, "1,680"), (999.7, "1,000"), (25.4545, "25.5"), (3.0, "3"), (0.01234, "0.0123"), (0.0, "0")],
)
def test_a_count_has_three_digits_and_no_exponent(value: float, text: str) -> None:
    """Whole where it is whole, and with a comma for thousands."""
    assert count(value) == text
    assert signed(value) == f"+{text}"
    assert signed(-value) == (f"-{text}" if value else "+0")


@given(st.floats(-1e12, 1e12))
def test_no_number_of_a_sentence_has_an_exponent(value: float) -> None:
    """However large or small it is."""
    assert not any("e" in text for text in (count(value), signed(value), number(value)))
