#!/bin/sh
# Makes sure that a Docker engine answers: one that runs, else one that is installed and started.
#
#   sh engine.sh          as root on Debian or Ubuntu: installs what is missing, starts dockerd
#   sh engine.sh --check  only says what it finds and what it would do
#
# Exit codes: 0 an engine answers, 2 wrong usage, 3 none answers and the message says what to do.
# Stops no engine, changes nothing that works, may run twice at once, never calls sudo.
set -eu

# Every path below starts here: set only by the tests of this script.
root=${MINTMARK_ENGINE_ROOT:-}
PATH="$PATH:$root/usr/local/sbin:$root/usr/sbin:$root/sbin"
socket=$root/var/run/docker.sock
pid_file=$root/var/run/docker.pid
lock_file=$root/run/lock/mintmark-engine.lock
daemon_log=$root/var/log/mintmark-dockerd.log
setup_log=$root/var/log/mintmark-engine-setup.log
patience_s=60

say() { printf 'engine: %s\n' "$*" >&2; }

fail() {
    say "$*"
    exit 3
}

show_end_of() {
    if [ -s "$1" ]; then
        say "the end of $1:"
        tail -n 15 "$1" >&2
    fi
}

where() { printf '%s' "${DOCKER_HOST:-unix://$socket}"; }

# The version of the engine that answers; fails when none does.
version() {
    if command -v docker >/dev/null 2>&1; then
        # named on purpose: a docker context may point elsewhere, and the harness reads none
        DOCKER_HOST=$(where) timeout 10 docker version --format '{{.Server.Version}}' 2>/dev/null
    elif [ -n "${DOCKER_HOST:-}" ] && [ "${DOCKER_HOST#unix://}" = "$DOCKER_HOST" ]; then
        return 1
    elif command -v curl >/dev/null 2>&1; then
        path=${DOCKER_HOST:-$socket}
        curl -sf -m 10 --unix-socket "${path#unix://}" http://localhost/version |
            sed -n 's/.*"Version":"\([^"]*\)","ApiVersion".*/\1/p' | grep .
    else
        path=${DOCKER_HOST:-$socket}
        python3 - "${path#unix://}" 2>/dev/null <<'PYTHON'
import http.client, json, socket, sys
connection = http.client.HTTPConnection("localhost", timeout=10)
connection.sock = socket.socket(socket.AF_UNIX)
connection.sock.settimeout(10)
connection.sock.connect(sys.argv[1])
connection.request("GET", "/version")
print(json.load(connection.getresponse())["Version"])
PYTHON
    fi
}

# Says so and succeeds when an engine answers.
answers() {
    found=$(version) && [ -n "$found" ] || return 1
    say "Docker $found answers at $(where)"
}

# The pid of a dockerd that lives; fails when there is none.
running() {
    pid=$(cat "$pid_file" 2>/dev/null) || return 1
    case $pid in '' | *[!0-9]*) return 1 ;; esac
    [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = dockerd ] && printf '%s' "$pid"
}

is_debian() {
    command -v apt-get >/dev/null 2>&1 &&
        grep -Eqs '^ID(_LIKE)?=.*(debian|ubuntu)' "$root/etc/os-release"
}

has_systemd() { [ -d "$root/run/systemd/system" ] && command -v systemctl >/dev/null 2>&1; }

# Something that `version` can ask an engine with.
has_client() {
    for name in docker curl python3; do
        if command -v "$name" >/dev/null 2>&1; then return 0; fi
    done
    return 1
}

# Packages whose command is not there. An engine from elsewhere brings its own containerd and runc.
missing() {
    for pair in dockerd:docker.io containerd:containerd runc:runc iptables:iptables \
        debootstrap:debootstrap; do
        command -v "${pair%%:*}" >/dev/null 2>&1 || printf '%s ' "${pair#*:}"
    done
    # base images of Debian are built, and their signatures checked, on Ubuntu too
    [ -e "$root/usr/share/keyrings/debian-archive-keyring.gpg" ] ||
        printf '%s ' debian-archive-keyring
    has_client || printf '%s ' curl
}

# Ends the script with advice where it cannot set an engine up itself.
refuse_if_hopeless() {
    if [ -n "${DOCKER_HOST:-}" ]; then
        fail "nothing answers at DOCKER_HOST=$DOCKER_HOST: start that engine, or unset DOCKER_HOST"
    fi
    if [ "$(id -u)" -ne 0 ]; then
        if [ -S "$socket" ] && [ ! -w "$socket" ]; then
            fail "this user may not use $socket: run 'sudo usermod -aG docker $(id -un)', log in again"
        fi
        fail "no engine answers and setting one up needs root: run 'sudo sh $0'"
    fi
    if ! is_debian; then
        fail "no engine answers and this is no Debian or Ubuntu: install Docker 20.10 or newer" \
            "(https://docs.docker.com/engine/install/), start it, then run this again"
    fi
}

install_missing() {
    packages=$(missing)
    [ -n "$packages" ] || return 0
    say "installing $packages(log: $setup_log)"
    mkdir -p "$(dirname "$setup_log")"
    export DEBIAN_FRONTEND=noninteractive
    apt-get -o Acquire::Retries=3 update >"$setup_log" 2>&1 9>&- ||
        say "apt-get update had problems, going on with the package lists there are"
    # the list is several words on purpose
    # shellcheck disable=SC2086
    if ! apt-get -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 install -y \
        --no-install-recommends $packages >>"$setup_log" 2>&1 9>&-; then
        show_end_of "$setup_log"
        fail "apt-get could not install $packages: put right what it says, then run this again"
    fi
}

start_daemon() {
    if pid=$(running); then
        say "dockerd runs already (pid $pid), waiting for it"
        return 0
    fi
    if [ -e "$pid_file" ]; then
        say "removing $pid_file: the dockerd it names is dead"
        rm -f "$pid_file"
    fi
    if has_systemd; then
        say "starting dockerd with systemctl (log: journalctl -u docker)"
        systemctl start docker 9>&- || fail "systemctl could not start docker: see 'journalctl -u docker'"
        return 0
    fi
    say "starting dockerd (log: $daemon_log)"
    mkdir -p "$(dirname "$daemon_log")"
    # in a session of its own, so that closing this terminal does not end it; 9 is our lock
    setsid dockerd >>"$daemon_log" 2>&1 </dev/null 9>&- &
    started=$!
}

wait_for_answer() {
    waited=0
    until answers; do
        # the packages' own scripts may have been quicker: then ours gives way to theirs
        if [ -n "${started:-}" ] && ! kill -0 "$started" 2>/dev/null && ! running >/dev/null; then
            show_end_of "$daemon_log"
            fail "dockerd ended by itself: put right what its log says, then run this again"
        fi
        if [ "$waited" -ge "$patience_s" ]; then
            show_end_of "$daemon_log"
            fail "dockerd did not answer within $patience_s s: look at its log, then run this again"
        fi
        sleep 1
        waited=$((waited + 1))
        [ $((waited % 5)) -ne 0 ] || say "waiting for dockerd, $waited s"
    done
}

check() {
    if answers; then
        exit 0
    fi
    refuse_if_hopeless
    packages=$(missing)
    [ -z "$packages" ] || say "would install $packages"
    if pid=$(running); then
        say "dockerd runs (pid $pid) and does not answer; would wait for it"
    else
        say "would start dockerd"
    fi
    fail "no engine answers: run 'sh $0' to set one up"
}

set_up() {
    if answers; then
        exit 0
    fi
    refuse_if_hopeless
    mkdir -p "$(dirname "$lock_file")"
    exec 9>"$lock_file"
    if ! flock -n 9; then
        say "another set-up is running, waiting for it"
        flock -w 900 9 || fail "another set-up holds $lock_file for too long: end it"
    fi
    if answers; then
        exit 0
    fi
    install_missing
    start_daemon
    wait_for_answer
}

case ${1:-} in
'') set_up ;;
--check) check ;;
-h | --help) sed -n '2,8s/^# \{0,1\}//p' "$0" ;;
*)
    say "unknown argument '$1': use --check or nothing"
    exit 2
    ;;
esac
