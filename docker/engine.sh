#!/bin/bash
# Make sure that a Docker engine answers; safe to run again and again.
#
# usage: docker/engine.sh [--require]
#
# Debian or Ubuntu as root: installs docker.io and debootstrap where they are missing and starts the engine.
# Elsewhere it says in one line what to do. Exit 0 either way, because grader's self-check works without Docker;
# with --require exit 4 (as grader itself) when no engine answers in the end.
set -euo pipefail

readonly START_S=60
readonly LOG=/var/log/dockerd.log
require=no
[ "${1:-}" = --require ] && require=yes

say() { printf 'engine: %s\n' "$*"; }

# Asks the socket through the CLI. The deadline covers an engine that accepts the connection and then hangs.
answers() { command -v docker >/dev/null 2>&1 && timeout 10 docker version --format '{{.Server.Version}}' >/dev/null 2>&1; }

give_up() {
  say "$*"
  [ "$require" = no ] || exit 4
  exit 0
}

can_install() { command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" -eq 0 ]; }

install() {
  [ $# -gt 0 ] || return 0
  say "installing $*"
  export DEBIAN_FRONTEND=noninteractive
  # An index that cannot be fetched in part (a foreign repository that is down) is no reason to stop.
  apt-get update -qq || say "apt-get update reported problems; going on"
  apt-get install -y -qq --no-install-recommends "$@" </dev/null
}

# What of the engine is missing. A CLI from another package does not count: it is the engine that isolates.
missing_engine() {
  command -v dockerd >/dev/null 2>&1 || echo docker.io
  command -v iptables >/dev/null 2>&1 || echo iptables
  missing_debootstrap
}

# Makes the base image where no registry can be reached.
missing_debootstrap() { command -v debootstrap >/dev/null 2>&1 || echo debootstrap; }

start_engine() {
  if [ -d /run/systemd/system ]; then
    systemctl start docker
    return
  fi
  say "starting dockerd, log in $LOG"
  # A session of its own and no inherited descriptor: it outlives make, and make's output can be closed.
  setsid --fork dockerd >>"$LOG" 2>&1 </dev/null 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-
}

wait_for_engine() {
  local deadline=$((SECONDS + START_S))
  while [ "$SECONDS" -lt "$deadline" ]; do
    answers && return 0
    sleep 1
  done
  return 1
}

if answers; then
  say "Docker engine $(docker version --format '{{.Server.Version}}') answers"
  # shellcheck disable=SC2046 # a list of package names
  ! can_install || install $(missing_debootstrap) || say "no debootstrap: the base image must come from a registry"
  exit 0
fi
[ -z "${DOCKER_HOST:-}" ] || give_up "no engine answers at DOCKER_HOST=$DOCKER_HOST: start it there"
command -v apt-get >/dev/null 2>&1 || give_up "no engine answers: install and start Docker, then run: make setup"
can_install || give_up "no engine answers: run 'sudo docker/engine.sh', join the group docker, then run: make setup"
# shellcheck disable=SC2046 # a list of package names
install $(missing_engine) || give_up "the engine's packages cannot be installed: see the lines above"
start_engine || give_up "the engine cannot be started: see $LOG or 'journalctl -u docker'"
wait_for_engine || give_up "dockerd does not answer after $START_S s: see $LOG"
say "Docker engine $(docker version --format '{{.Server.Version}}') answers"
