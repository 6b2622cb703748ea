"""What the systems share: application, database, cache, accounts, metrics, faults. It knows none of the systems."""
