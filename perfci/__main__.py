"""`python -m perfci` is the same program as `perfci`."""

from perfci.cli import main

if __name__ == "__main__":
    main()
