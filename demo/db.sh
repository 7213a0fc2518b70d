#!/bin/sh
# The database's first process: make an empty cluster, let the containers' networks in by password, become the server.
set -eu

server=$(echo /usr/lib/postgresql/*/bin)
cluster=/var/lib/postgresql/data

umask 077
printf '%s' "$POSTGRES_PASSWORD" >/tmp/password
"$server/initdb" --pgdata="$cluster" --pwfile=/tmp/password --encoding=UTF8 --locale=C.UTF-8 \
    --auth-local=trust --auth-host=scram-sha-256 --no-sync
rm /tmp/password
echo 'host all all 172.16.0.0/12 scram-sha-256' >>"$cluster/pg_hba.conf"

exec "$server/postgres" -D "$cluster" -c listen_addresses='*' -c unix_socket_directories=/tmp
