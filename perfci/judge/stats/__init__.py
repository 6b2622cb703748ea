"""The statistics: small functions of numbers, which know nothing of rounds or runs."""
