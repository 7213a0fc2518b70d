#!/bin/bash
# The demo: a database server and a web application, each in a container, started once by `wharf` and once by the
# unmodified `docker` command, with the same result. Each command is shown as it is run.
#
#   KEEP=1      leave the containers of the second round, and the daemon, running
#   DEMO_ROOT   where images are kept from one run to the next (build/demo)
set -euo pipefail

here="$(cd "$(dirname "$0")" && pwd)"
top="$(dirname "$here")"
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
        for name in web db; do "$wharf" logs --tail 15 "$name" >&2 2>&1 || true; done
        tail -n 25 "$root/wharfd.log" >&2 || true
    fi
    if [ -n "$daemon" ]; then "$wharf" rm --force web db >/dev/null 2>&1 || true; fi
    stop_daemon
    rm -rf "$scratch"
    exit "$status"
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

say "2. Two base images, from Debian's own packages; no registry takes part"
bootstrap() { # <tag> <packages>
    if "$wharf" image inspect "$1" >/dev/null 2>&1; then
        note "$1 is there from an earlier run."
    else
        note "$1: bookworm with $2 (this takes a minute, once)"
        show wharf "$wharf" image bootstrap debian:bookworm --include "$2" --tag "$1"
    fi
}
bootstrap wharf-demo/postgres postgresql
bootstrap wharf-demo/web gunicorn,python3-psycopg2
# What an interrupted run may have left in this data root.
"$wharf" rm --force web db >/dev/null 2>&1 || true

# workload <name of the command> <program>: the same commands for both clients. Leaves the answer in $answer, $url.
workload() {
    local name="$1" program="$2" password address port
    password="$(od -An -N12 -tx1 /dev/urandom | tr -d ' \n')"

    note "The database: PostgreSQL as its own user, at most 256 MB of memory and one processor."
    show "$name" "$program" run --detach --name db --user postgres --memory 256m --cpus 1 --stop-signal SIGINT \
        --env "POSTGRES_PASSWORD=$password" --volume "$here/db.sh:/demo/db.sh:ro" \
        wharf-demo/postgres sh /demo/db.sh
    "$program" inspect db | "$python" "$here/beneath.py"
    note "Waiting until it takes connections, by asking inside the container:"
    patiently 60 "$program" exec db pg_isready --host 127.0.0.1 || fail "the database does not answer"
    show "$name" "$program" exec db pg_isready --host 127.0.0.1
    address="$("$program" inspect db |
        "$python" -c 'import json, sys; print(json.load(sys.stdin)[0]["NetworkSettings"]["Networks"]["bridge"]["IPAddress"])')"

    note "The web application: gunicorn, at most 128 MB and half a processor; its port 8000 on a free port of the host."
    show "$name" "$program" run --detach --name web --user www-data --memory 128m --cpus 0.5 --publish 8000 \
        --env "DATABASE_URL=postgresql://postgres:$password@$address/postgres" \
        --volume "$here/app.py:/demo/app.py:ro" \
        wharf-demo/web gunicorn --chdir /demo --bind 0.0.0.0:8000 --worker-tmp-dir /dev/shm app
    "$program" inspect web | "$python" "$here/beneath.py"
    port="$(show "$name" "$program" port web 8000/tcp | sed -n '1s/.*://p')"
    [ -n "$port" ] || fail "port 8000 is not published"
    url="http://127.0.0.1:$port/rows"
    patiently 60 curl --silent --fail --max-time 5 "$url" || fail "$url does not answer"

    note "A client on the host writes a row, and reads it back:"
    show curl curl --silent --show-error --fail --max-time 10 --data 'written from the host' "$url"
    answer="$(show curl curl --silent --show-error --fail --max-time 10 "$url")"
    printf '%s\n' "$answer"
    show "$name" "$program" ps
}

remove() {
    show "$1" "$2" stop web db
    show "$1" "$2" rm web db
}

say "3. The first round: by wharf"
workload wharf "$wharf"
by_wharf="$answer"
remove wharf "$wharf"

say "4. The second round: the same by $("$docker" --version)"
note "DOCKER_HOST=$DOCKER_HOST"
workload docker "$docker"
by_docker="$answer"

[ "$by_wharf" = "$by_docker" ] || fail "the answers differ: by wharf $by_wharf, by docker $by_docker"
[ "$by_docker" = '[{"id": 1, "text": "written from the host"}]' ] || fail "not the expected answer: $by_docker"

if [ "${KEEP:-}" = 1 ]; then
    say "5. Left running, as KEEP=1 asks"
    note "export DOCKER_HOST=$DOCKER_HOST"
    note "To end it: docker rm --force web db; kill $daemon; rm -r $scratch"
    trap - EXIT INT TERM HUP
else
    say "5. Nothing stays behind"
    remove docker "$docker"
    stop_daemon
    "$python" "$here/left_behind.py" "$data" || fail "something stays behind"
    note "No container, process, mount, link or cgroup; the two images stay in $root for the next run."
fi

say "Both rounds had the same answer from $url:"
printf '%s\n' "$answer"
