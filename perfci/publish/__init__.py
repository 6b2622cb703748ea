"""Publishes on GitHub: the pull request comment, and the runner's files (outputs, job summary, annotations)."""
