#!/bin/bash
# The demo: the web application and the database of examples/web-and-database, from their Compose file and by hand on
# docker0, each once by `wharf` and once by the unmodified `docker` command, with the same result. Each command is shown
# as it is run.
#
#   KEEP=1      leave the containers of the last round, and the daemon, running
#   DEMO_ROOT   where images are kept from one run to the next (build/demo)
set -euo pipefail

here="$(cd "$(dirname "$0")" && pwd)"
top="$(dirname "$here")"
example="$top/examples/web-and-database"
root="${DEMO_ROOT:-$top/build/demo}"
python="$top/.venv/bin/python"
wharf="${WHARF:-$top/.venv/bin/wharf}"
wharfd="${WHARFD:-$top/.venv/bin/wharfd}"

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
note() { printf '      %s\n' "$*"; }
fail() { printf 'demo: %s\n' "$*" >&2; exit 1; }

# show <name> <program> <arguments...>: print the command as one would type it, then run it.
show() {
    local name="$1" program="$2"
    shift 2
    local line="    $ $name" word
    for word in "$@"; do
        case "$word" in *[!A-Za-z0-9_./:=,@%+-]*) word="'$word'" ;; esac
        line+=" $word"
    done
    printf '%s\n' "$line" >&2
    "$program" "$@"
}

# patiently <seconds> <command...>: try until it succeeds.
patiently() {
    local until=$((SECONDS + $1))
    shift
    while ! "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$until" ] || return 1
        sleep 0.2
    done
}

[ "$(id -u)" = 0 ] || fail "it needs root: containers are made of namespaces, mounts and cgroups"
[ -x "$wharf" ] || fail "there is no $wharf: run it by 'make demo'"

daemon=
scratch="$(mktemp -d /tmp/wharf-demo.XXXXXX)" # short, because a socket's path has at most 107 bytes
data="$root/data"
mkdir -p "$data"
chmod 755 "$scratch"
# Both clients read these; a configuration of yours takes no part.
unset WHARF_HOST DOCKER_CONTEXT DOCKER_API_VERSION DOCKER_TLS_VERIFY DOCKER_CERT_PATH
export DOCKER_HOST="unix://$scratch/wharf.sock" DOCKER_CONFIG="$scratch"
# What the Compose file asks of its environment: a port of the host's (0 for a free one) and a password.
DATABASE_PASSWORD="$(od -An -N12 -tx1 /dev/urandom | tr -d ' \n')"
export DATABASE_PASSWORD PORT=0
printf '%s' "$DATABASE_PASSWORD" >"$scratch/password"

stop_daemon() {
    [ -n "$daemon" ] || return 0
    kill -TERM "$daemon" 2>/dev/null || true
    patiently 20 eval "! kill -0 $daemon" || { echo "demo: the daemon does not end: killing it" >&2; kill -KILL "$daemon"; }
    wait "$daemon" 2>/dev/null || true
    daemon=
}

clean_up() {
    local status=$? told
    trap - EXIT INT TERM HUP
    case "$status" in 0 | 130 | 143) told=1 ;; *) told= ;; esac # nothing to explain, or you interrupted it
    if [ -z "$told" ] && [ -n "$daemon" ]; then
        echo "demo: failed; the last words of the containers and of the daemon:" >&2
        (cd "$example" && "$wharf" compose logs --tail 15 >&2 2>&1) || true
        for name in web db; do "$wharf" logs --tail 15 "$name" >&2 2>&1 || true; done
        tail -n 25 "$root/wharfd.log" >&2 || true
    fi
    [ -z "$daemon" ] || take_away
    stop_daemon
    rm -rf "$scratch"
    exit "$status"
}
# take_away: what any round has, or an interrupted run left in this data root.
take_away() {
    "$wharf" rm --force web db >/dev/null 2>&1 || true
    (cd "$example" && "$wharf" compose down --volumes --timeout 1 >/dev/null 2>&1) || true
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

say "1. The daemon"
note "wharfd is an HTTP front on wharf.Engine. This one has a data root and a socket of its own."
printf '    $ wharfd --data-root %q --host %q &\n' "$data" "$DOCKER_HOST"
setsid "$wharfd" --data-root "$data" --host "$DOCKER_HOST" >"$root/wharfd.log" 2>&1 </dev/null &
daemon=$!
answers() { curl --silent --fail --max-time 5 --unix-socket "$scratch/wharf.sock" http://localhost/_ping; }
patiently 30 answers || fail "the daemon does not answer"
note "It answers on its socket; it is process $daemon."
docker="$("$top/scripts/docker-cli")"

say "2. The application's images, from Debian's own packages; no registry takes part"
if "$wharf" image inspect debian:bookworm >/dev/null 2>&1; then
    note "debian:bookworm is there from an earlier run."
else
    show wharf "$wharf" image bootstrap debian:bookworm
fi
take_away
printf '    $ cd examples/web-and-database\n'
cd "$example"
note "PostgreSQL and gunicorn are added to it as examples/web-and-database says (this takes a minute, once):"
show wharf "$wharf" compose --progress quiet build

# write_and_read <url>: leaves the answer in $answer.
write_and_read() {
    note "A client on the host writes a row, and reads it back:"
    show curl curl --silent --show-error --fail --max-time 10 --data 'written from the host' "$1"
    answer="$(show curl curl --silent --show-error --fail --max-time 10 "$1")"
    printf '%s\n' "$answer"
    [ "$answer" = '[{"id": 1, "text": "written from the host"}]' ] || fail "not the expected answer: $answer"
}

# by_file <name of the command> <program>: the whole application from its Compose file, up, asked, and down again.
by_file() {
    local name="$1" program="$2" service
    note "Two networks, a volume, a secret; the web application starts once the database is healthy."
    show "$name" "$program" compose up --detach --wait
    show "$name" "$program" compose ps
    for service in db web; do
        note "$service:"
        "$program" inspect "$("$program" compose ps --quiet "$service")" | "$python" "$here/beneath.py"
    done
    url="http://$(show "$name" "$program" compose port web 8000)/rows"
    write_and_read "$url"
    show "$name" "$program" compose down --volumes
}

# by_hand <name of the command> <program>: the same two containers on docker0, one command each.
by_hand() {
    local name="$1" program="$2" address port
    note "The database: PostgreSQL as its own user, at most 256 MB of memory and one processor."
    show "$name" "$program" run --detach --name db --user postgres --memory 256m --cpus 1 --stop-signal SIGINT \
        --volume "$scratch/password:/run/secrets/password:ro" web-and-database-db
    "$program" inspect db | "$python" "$here/beneath.py"
    note "Waiting until it takes connections, by asking inside the container:"
    patiently 60 "$program" exec db pg_isready --host 127.0.0.1 || fail "the database does not answer"
    show "$name" "$program" exec db pg_isready --host 127.0.0.1
    address="$("$program" inspect --format '{{.NetworkSettings.Networks.bridge.IPAddress}}' db)"

    note "The web application: gunicorn, at most 128 MB and half a processor; its port 8000 on a free port of the host."
    show "$name" "$program" run --detach --name web --user www-data --memory 128m --cpus 0.5 --publish 8000 \
        --volume "$scratch/password:/run/secrets/password:ro" --env "DATABASE_HOST=$address" web-and-database-web
    "$program" inspect web | "$python" "$here/beneath.py"
    port="$(show "$name" "$program" port web 8000/tcp | sed -n '1s/.*://p')"
    [ -n "$port" ] || fail "port 8000 is not published"
    url="http://127.0.0.1:$port/rows"
    patiently 60 curl --silent --fail --max-time 5 "$url" || fail "$url does not answer"
    write_and_read "$url"
    show "$name" "$program" ps
}

remove() {
    show "$1" "$2" stop web db
    show "$1" "$2" rm web db
}

say "3. From the Compose file, by wharf"
by_file wharf "$wharf"

say "4. From the Compose file, by the unmodified docker command"
note "DOCKER_HOST=$DOCKER_HOST"
if plugin="$("$docker" compose version >/dev/null 2>&1 || "$top/scripts/docker-compose")"; then
    if [ -n "$plugin" ]; then mkdir "$scratch/cli-plugins" && ln -s "$plugin" "$scratch/cli-plugins/docker-compose"; fi
    note "$("$docker" compose version)"
    by_file docker "$docker"
else
    note "NOT RUN: docker has no compose plugin here, and Debian's docker-compose cannot be fetched."
fi

say "5. The same two containers on docker0, by wharf"
by_hand wharf "$wharf"
remove wharf "$wharf"

say "6. And by $("$docker" --version)"
by_hand docker "$docker"

if [ "${KEEP:-}" = 1 ]; then
    say "7. Left running, as KEEP=1 asks"
    note "export DOCKER_HOST=$DOCKER_HOST"
    note "To end it: docker rm --force web db; kill $daemon; rm -r $scratch"
    trap - EXIT INT TERM HUP
else
    say "7. Nothing stays behind"
    remove docker "$docker"
    stop_daemon
    "$python" "$here/left_behind.py" "$data" || fail "something stays behind"
    note "No container, process, mount, link or cgroup; the images stay in $root for the next run."
fi

say "Each round had the same answer from $url:"
printf '%s\n' "$answer"
