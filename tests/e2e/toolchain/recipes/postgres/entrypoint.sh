#!/usr/bin/env bash
# The official postgres image's start, as far as its documented settings go:
# POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_DB, POSTGRES_INITDB_ARGS,
# POSTGRES_HOST_AUTH_METHOD, the *_FILE forms, PGDATA, and the scripts in
# /docker-entrypoint-initdb.d.
set -euo pipefail

[[ ${1:-} != -* ]] || set -- postgres "$@"
[[ ${1:-} == postgres ]] || exec "$@"

if [[ $(id -u) == 0 ]]; then
    mkdir -p "$PGDATA"
    chmod 700 "$PGDATA"
    find "$PGDATA" \! -user postgres -exec chown postgres '{}' +
    # PostgreSQL refuses to run as root. This script starts over as its user.
    exec setpriv --reuid=postgres --regid=postgres --init-groups \
        env HOME=/var/lib/postgresql "${BASH_SOURCE[0]}" "$@"
fi

for name in POSTGRES_USER POSTGRES_PASSWORD POSTGRES_DB; do
    file="${name}_FILE"
    [[ -z ${!file:-} ]] || declare "$name=$(<"${!file}")"
done
user=${POSTGRES_USER:-postgres}
database=${POSTGRES_DB:-$user}
method=${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}

if [[ ! -s $PGDATA/PG_VERSION ]]; then
    if [[ -z ${POSTGRES_PASSWORD:-} && $method != trust ]]; then
        echo "Error: Database is uninitialized and superuser password is not specified." >&2
        echo "       Set POSTGRES_PASSWORD to a non-empty value." >&2
        exit 1
    fi
    # Left unquoted: the setting holds several words.
    # shellcheck disable=SC2086
    initdb --encoding=UTF8 --locale=C.UTF-8 --username="$user" \
        --pwfile=<(printf '%s\n' "${POSTGRES_PASSWORD:-}") ${POSTGRES_INITDB_ARGS:-}
    printf '\nhost all all all %s\n' "$method" >>"$PGDATA/pg_hba.conf"

    # The server for the set-up listens only on a socket in a folder of its own:
    # a health check must not find the database ready before it is.
    sockets=$(mktemp -d)
    export PGHOST=$sockets PGUSER=$user
    pg_ctl -D "$PGDATA" -w start -o "-c listen_addresses='' -c unix_socket_directories='$sockets'"
    query() { psql -v ON_ERROR_STOP=1 --no-psqlrc --dbname="${PGDATABASE:-postgres}" "$@"; }
    if [[ $database != postgres ]]; then
        query -v name="$database" <<<'CREATE DATABASE :"name";'
    fi
    export PGDATABASE=$database
    # shellcheck source=/dev/null
    for file in /docker-entrypoint-initdb.d/*; do
        case $file in
            *.sh) if [[ -x $file ]]; then "$file"; else source "$file"; fi ;;
            *.sql) query -f "$file" ;;
            *.sql.gz) gunzip -c "$file" | query ;;
        esac
    done
    pg_ctl -D "$PGDATA" -m fast -w stop
    unset PGHOST PGUSER PGDATABASE
    rm -rf "$sockets"
    echo "PostgreSQL init process complete; ready for start up."
fi

exec "$@"
