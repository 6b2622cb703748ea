# perfci for CI systems other than GitHub Actions: with git, for the base of a comparison. The release workflow builds it
# around the wheel that it has published. The service under test has to be startable here, or be reached by its address.
FROM python:3.11-slim-bookworm

RUN apt-get update \
    && apt-get install --yes --no-install-recommends git \
    && rm -rf /var/lib/apt/lists/*
COPY requirements/action.txt release/dist/*.whl /src/
RUN pip install --no-cache-dir --disable-pip-version-check --root-user-action=ignore --require-hashes -r /src/action.txt \
    && pip install --no-cache-dir --disable-pip-version-check --root-user-action=ignore --no-deps /src/*.whl

ENV XDG_STATE_HOME=/tmp/state
USER 10001:10001
WORKDIR /project
CMD ["perfci", "--help"]
