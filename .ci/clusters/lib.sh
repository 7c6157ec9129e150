# shellcheck shell=bash disable=SC2154 # the names that the sourcing script gives
# What the scripts slurm, sge and oar share. Each sources this file, says what
# differs, and ends with: cluster "$@"
#
#   cluster_name      its word in paths and messages
#   cluster_packages  array of Debian packages, next to iproute2 for all
#   cluster_start     starts the daemons and returns when jobs can be submitted;
#                     runs inside, as process 1, under set -e
#   cluster_status    runs inside: prints a few lines for a person, fails when the
#                     scheduler does not answer
#   cluster_selftest  runs inside, in an empty directory, under set -e
#
# A cluster lives in namespaces of its own (network, host name, mounts,
# processes): see README.md.

set -euo pipefail
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin # at the end: what exec runs is the caller's choice

# The machine that the daemons and jobs see. Its address is one of those that RFC
# 5737 keeps for examples: with 127.x alone getaddrinfo finds no address family
# configured, and Slurm's daemons do not start.
cluster_host=cluster
cluster_address=192.0.2.1

say() { printf '%s: %s\n' "$cluster_name" "$*"; }
die() {
  say "$*" >&2
  exit 1
}

# wait_for SECONDS COMMAND…: until the command succeeds, at most so long.
wait_for() {
  local seconds=$1 end=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    if [ "$SECONDS" -ge "$end" ]; then
      say "not within $seconds s: $*" >&2
      return 1
    fi
    sleep 0.1
  done
}

# retry TIMES COMMAND…: a mirror may refuse once.
retry() {
  local left=$1
  shift
  until "$@"; do
    left=$((left - 1))
    [ "$left" -gt 0 ] || return 1
    sleep 5
  done
}

installed() {
  local package
  for package; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || return 1
  done
}

# Downloads stay in a directory of ours, because images for containers make apt
# delete its own; DPkg::Lock::Timeout waits for another apt to end.
apt_get() {
  DEBIAN_FRONTEND=noninteractive apt-get -q -y \
    -o "Dir::Cache::Archives=$apt_cache" -o APT::Keep-Downloaded-Packages=true \
    -o APT::Sandbox::User=root -o APT::Install-Recommends=false \
    -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300 "$@"
}

# A package may start nothing: invoke-rc.d asks policy-rc.d, which a container
# has and a machine has not.
install_packages() {
  installed "$@" && return
  mkdir -p "$apt_cache"
  local policy=/usr/sbin/policy-rc.d
  if ! [ -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
  fi
  retry 3 apt_get update
  retry 3 apt_get install "$@"
}

# The cluster's outermost process is recorded as "pid start-time", so that a
# number that the kernel has given to another process is not taken for it.
started_at() {
  local stat
  stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
  # After the command's name, which may hold anything: state is 1st, start is 20th.
  read -r -a stat <<<"${stat##*) }"
  [ "${stat[0]}" != Z ] && echo "${stat[19]}"
}

running() {
  [ -s "$state/pid" ] || return 1
  read -r outer since <"$state/pid"
  [ "$(started_at "$outer")" = "$since" ]
}

# inside COMMAND…: run it in the cluster, here, with this environment. The
# processes' namespace of the outermost process is that of its children; --root
# counts where all of this happens in a chroot.
inside() {
  running || die "is not up: $0 up"
  nsenter -t "$outer" --net --uts --ipc --mount --pid="/proc/$outer/ns/pid_for_children" \
    --root="/proc/$outer/root" --wdns="$PWD" -- "$@"
}

# Verbs

install() { install_packages "${cluster_packages[@]}"; }

up() {
  installed "${cluster_packages[@]}" || die "is not installed: $0 install"
  mkdir -p "$root"
  exec {lock}>"$root/$cluster_name.lock"
  flock "$lock"
  if running; then
    [ -e "$state/ready" ] && say "is up already, in $state" && return
    stop
  fi
  rm -rf "$state"
  mkdir -p "$state"/{log,run/lock}
  # Daemons and the shells they start see nothing of this environment.
  local variable environment home=~root
  environment=(PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "HOME=$home" LANG=C.UTF-8)
  for variable in "${!MLXP_@}"; do
    environment+=("$variable=${!variable}")
  done
  # --kill-child: the end of this process is the end of all processes inside.
  setsid env -i "${environment[@]}" unshare --net --uts --ipc --mount --pid --fork --kill-child --mount-proc \
    bash "$0" boot {lock}>&- </dev/null >"$state/log/boot" 2>&1 &
  local pid=$!
  echo "$pid $(started_at "$pid")" >"$state/pid"
  if ! wait_for 180 ready_or_dead || ! running; then
    tail -n 15 "$state"/log/* >&2
    stop
    die "did not start; more in $state/log"
  fi
  say "is up in ${SECONDS} s, in $state"
}

ready_or_dead() { [ -e "$state/ready" ] || ! running; }

# boot is process 1 of the cluster: it prepares the place, starts the daemons
# and collects the ended ones.
boot() {
  set -E
  trap 'say "failed: $BASH_COMMAND" >&2' ERR
  hostname "$cluster_host"
  ip link set lo up
  ip address add "$cluster_address/32" dev lo
  printf '127.0.0.1 localhost\n%s %s\n' "$cluster_address" "$cluster_host" >"$state/hosts"
  [ -e /etc/hosts ] || touch /etc/hosts
  overlay "$state/hosts" /etc/hosts
  overlay "$state/run" /run
  hide_profiles
  cluster_start
  touch "$state/ready"
  while :; do
    sleep infinity &
    wait $! || :
  done
}

# Jobs run as root, some in login shells: what root's own profiles do, be it slow
# or harmful in a job, is nothing to test.
hide_profiles() {
  local file
  for file in ~root/.bash_profile ~root/.bash_login ~root/.profile ~root/.bashrc; do
    [ ! -e "$file" ] || overlay /dev/null "$file"
  done
}

# overlay OURS THEIRS: inside, ours is seen in place of theirs.
overlay() { mount --bind "$1" "$2"; }

# own DIRECTORY: inside, a copy of it is seen in its place.
own() {
  mkdir -p "$state/own"
  local copy
  copy=$state/own/${1//\//-}
  cp -a "$1" "$copy"
  overlay "$copy" "$1"
}

down() {
  mkdir -p "$root"
  exec {lock}>"$root/$cluster_name.lock"
  flock "$lock"
  if ! running; then
    say 'is not up'
    return
  fi
  stop
  say 'is down'
}

stop() {
  running || return 0
  local inner
  inner=$(readlink "/proc/$outer/ns/pid_for_children")
  kill -KILL "$outer"
  wait_for 60 none_in "$inner" || die "processes of $inner do not end"
  rm -f "$state/pid"
}

# Namespaces and mounts are gone with the last process in them.
none_in() { ! readlink /proc/[0-9]*/ns/pid | grep -qxF "$1"; }

status() {
  running || die 'is not up'
  say "is up, in $state, process $outer"
  inside bash "$0" inner_status
}

inner_status() { cluster_status; }

selftest() {
  local began=$SECONDS
  inside bash "$0" inner_selftest || die 'selftest FAILED'
  say "selftest passed in $((SECONDS - began)) s"
}

inner_selftest() {
  local work
  work=$(mktemp -d)
  cd "$work"
  set -E
  trap 'say "failed in $work: $BASH_COMMAND" >&2' ERR
  cluster_selftest
  cd /
  rm -rf "$work"
}

cluster() {
  cluster_packages+=(iproute2)
  root=$(realpath -m "${MLXP_CLUSTERS:-/var/lib/mlxp-clusters}")
  state=$root/$cluster_name
  apt_cache=${MLXP_APT_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/mlxp-apt}
  [ "$(id -u)" = 0 ] || die 'needs root'
  case ${1-} in
    install | up | down | status | selftest) "$1" ;;
    boot | inner_status | inner_selftest) "$1" ;; # for this script itself
    exec)
      shift
      [ $# -gt 0 ] || die "usage: $0 exec COMMAND…"
      inside "$@"
      ;;
    *) die "usage: $0 install|up|down|status|selftest|exec COMMAND…" ;;
  esac
}
