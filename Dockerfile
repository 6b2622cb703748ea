# The demo service. Nothing of the toolkit that measures it is in here.
FROM python:3.11-slim-bookworm

WORKDIR /srv
# Before the code, so that a change of code installs nothing again.
COPY demo/requirements.txt demo/requirements.txt
RUN pip install --no-cache-dir --disable-pip-version-check --root-user-action=ignore -r demo/requirements.txt

COPY demo/ demo/
RUN python -m compileall -q demo

USER 10001:10001
EXPOSE 8000
CMD ["python", "-m", "demo", "--host", "0.0.0.0", "--port", "8000"]
