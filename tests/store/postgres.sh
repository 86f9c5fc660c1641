#!/bin/sh
# Makes sure that the programs of a PostgreSQL server are here: the tests start a server of their own.
#
#   sh postgres.sh          as root on Debian or Ubuntu: installs the package postgresql if need be
#   sh postgres.sh --check  only says whether they are here
#
# Exit codes: 0 they are here, 2 wrong usage, 3 they are not and the message says what to do.
# Starts no server and makes no cluster; changes nothing that works; never calls sudo.
set -eu

lock_file=/run/lock/mintmark-postgres.lock
setup_log=/var/log/mintmark-postgres.log
cluster_conf=/etc/postgresql-common/createcluster.conf

say() { printf 'postgres: %s\n' "$*" >&2; }

fail() {
    say "$*"
    exit 3
}

has() {
    command -v "$1" >/dev/null 2>&1 && return 0
    for program in /usr/lib/postgresql/*/bin/"$1"; do
        if [ -x "$program" ]; then return 0; fi
    done
    return 1
}

here() { has initdb && has postgres && command -v setpriv >/dev/null 2>&1; }

install() {
    apt-get -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 install -y \
        --no-install-recommends "$@" >>"$setup_log" 2>&1 9>&- || {
        tail -n 20 "$setup_log" >&2
        fail "apt-get could not install $*: put right what it says, then run this again"
    }
}

set_up() {
    if here; then exit 0; fi
    if [ "$(id -u)" -ne 0 ]; then
        fail "there is no PostgreSQL server to test with and installing one needs root: run 'sudo sh $0'"
    fi
    if ! command -v apt-get >/dev/null 2>&1; then
        fail "there is no PostgreSQL server to test with: put initdb, postgres (15 or newer) and setpriv on PATH"
    fi
    mkdir -p "${lock_file%/*}"
    exec 9>"$lock_file"
    flock -w 900 9 || fail "another set-up holds $lock_file for too long: end it"
    if here; then exit 0; fi
    say "installing postgresql (log: $setup_log)"
    export DEBIAN_FRONTEND=noninteractive
    apt-get -o Acquire::Retries=3 update >"$setup_log" 2>&1 9>&- ||
        say "apt-get update had problems, going on with the package lists there are"
    # or the package makes a cluster of its own and starts a server on port 5432
    install postgresql-common
    if [ -f "$cluster_conf" ]; then
        sed -i 's/^#\{0,1\} *create_main_cluster *=.*/create_main_cluster = false/' "$cluster_conf"
    fi
    install postgresql
    here || fail "the package postgresql brought no server: see $setup_log"
}

case ${1:-} in
'') set_up ;;
--check) here || fail "there is no PostgreSQL server to test with: run 'sh $0'" ;;
-h | --help) sed -n '2,8s/^# \{0,1\}//p' "$0" ;;
*)
    say "unknown argument '$1': use --check or nothing"
    exit 2
    ;;
esac
