#!/bin/sh
# The database's first process: makes an empty cluster the first time, then becomes the server.
set -eu

server=$(echo /usr/lib/postgresql/*/bin)
cluster=/var/lib/postgresql/data

if [ ! -s "$cluster/PG_VERSION" ]; then
    "$server/initdb" --pgdata="$cluster" --pwfile=/run/secrets/password --encoding=UTF8 --locale=C.UTF-8 \
        --auth-local=trust --auth-host=scram-sha-256
    echo 'host all all samenet scram-sha-256' >>"$cluster/pg_hba.conf"
fi

exec "$server/postgres" -D "$cluster" -c listen_addresses='*' -c unix_socket_directories=/tmp
