"""Statistics on plain numbers, independent of rounds and runs."""
