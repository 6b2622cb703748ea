#!/usr/bin/env bash
# The official redis image's start: options alone mean redis-server, which runs
# as the user redis and takes connections from outside without a password.
set -euo pipefail

[[ ${1:-} != -* && ${1:-} != *.conf ]] || set -- redis-server "$@"
[[ ${1:-} == redis-server ]] || exec "$@"

if [[ $(id -u) == 0 ]]; then
    find . \! -user redis -exec chown redis '{}' +
    exec setpriv --reuid=redis --regid=redis --init-groups "${BASH_SOURCE[0]}" "$@"
fi

# Without a configuration file redis listens on every address, but answers only
# local clients until told otherwise.
[[ " $* " == *" --protected-mode "* ]] || set -- "$@" --protected-mode no
exec "$@"
