"""Whether the same was asked on both sides, and the same kind of answer came."""
