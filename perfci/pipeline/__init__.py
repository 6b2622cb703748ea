"""The steps in order, one use case per module. The only room that sees every other."""
