#!/usr/bin/env bash
# Proves that a bare Debian 12 needs nothing but the README's commands: makes one in a folder
# (debootstrap and chroot), clones this checkout's HEAD into it and runs ./quickstart and ./check there.
# Run it as root before a release; a developer's machine hides a missing install step.
#
#   tests/fresh_machine.sh [--keep] [COMMAND...]
#   tests/fresh_machine.sh --user [--keep] [COMMAND...]   as an unprivileged user, on a bare Debian with
#                                                 build tools (g++, git, pip); default ./setup --user
#   tests/fresh_machine.sh --recipe Dockerfile|remixer.def   runs a recipe's steps (containers/)
#
# COMMANDs (each one argument) replace the default.
# FRESH_MACHINE names the folder (default: a new one below TMPDIR).
# SPDX-License-Identifier: Apache-2.0
set -euo pipefail
source=$(git -C "$(dirname "$(readlink -f "$0")")" rev-parse --show-toplevel)
keep=0
user=root
recipe=""
while [[ "${1:-}" == --* ]]; do
  case $1 in
    --keep) keep=1 ;;
    --user) user=somebody ;;
    --recipe) recipe=$2; shift ;;
    -h|--help) sed -n '2,12s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "fresh_machine: unknown option $1" >&2; exit 2 ;;
  esac
  shift
done
commands=("$@")
if [ $# = 0 ]; then
  commands=(./quickstart ./check)
  [ $user = root ] || commands=('./setup --user')
  if [ -n "$recipe" ]; then
    # The steps of the file itself, with the arguments that a builder would put in.
    cuda=${REMIXER_CUDA:-ON}
    case $recipe in
      Dockerfile) steps=$(sed -n 's/^RUN //p' "$source/containers/$recipe") ;;
      *) steps=$(sed -n '/^%post/,/^%environment/p' "$source/containers/$recipe" | grep '^ ' | sed "s/{{ cuda }}/$cuda/") ;;
    esac
    [ -n "$steps" ] || { echo "fresh_machine: no steps in containers/$recipe" >&2; exit 2; }
    commands=("REMIXER_CUDA=$cuda; $steps" '/opt/remixer/bin/remixer-worker --version' '/opt/remixer/bin/remixer model list')
  fi
fi
[ "$(id -u)" = 0 ] || { echo "fresh_machine: needs root, for chroot" >&2; exit 2; }
command -v debootstrap >/dev/null || apt-get install -y -qq --no-install-recommends debootstrap >/dev/null

root=${FRESH_MACHINE:-$(mktemp -d "${TMPDIR:-/tmp}/fresh-machine-XXXXXX")}
mounted=()
finish() {
  code=$?
  for ((i = ${#mounted[@]} - 1; i >= 0; --i)); do umount -l "${mounted[i]}" || true; done
  [ $keep = 1 ] && echo "==> kept in $root" || rm -rf --one-file-system "$root"
  exit $code
}
trap finish EXIT

mkdir -p "$root"
chmod 755 "$root"
packages=ca-certificates
[ $user = root ] || packages+=,build-essential,git,python3,python3-pip
if [ ! -x "$root/usr/bin/apt-get" ]; then
  echo "==> a bare Debian 12 in $root"
  debootstrap --variant=minbase --include=$packages bookworm "$root" > "$root.log" 2>&1 ||
    { tail -n 20 "$root.log" >&2; exit 1; }
  rm -f "$root.log"
fi
# This machine's way to the network: apt's and pip's settings, resolver, certificates.
cp -aL /etc/apt/apt.conf.d/. "$root/etc/apt/apt.conf.d/"
mkdir -p "$root/etc/ssl/certs"
for file in /etc/resolv.conf /etc/hosts /etc/pip.conf /etc/ssl/certs/ca-certificates.crt; do
  [ ! -e "$file" ] || cp -L "$file" "$root$file"
done
home=/root
checkout=$home/remixer
[ -z "$recipe" ] || checkout=/opt/remixer/source
if [ $user != root ]; then
  home=/home/$user
  checkout=$home/remixer
  chroot "$root" id $user >/dev/null 2>&1 || chroot "$root" useradd --create-home --shell /bin/bash $user
fi
[ ! -d /root/.config/pip ] || { mkdir -p "$root$home/.config"; cp -a /root/.config/pip "$root$home/.config/"; }
mount -t proc proc "$root/proc" && mounted+=("$root/proc")
mount -t devpts devpts "$root/dev/pts" && mounted+=("$root/dev/pts")
mount -t tmpfs tmpfs "$root/dev/shm" && mounted+=("$root/dev/shm")
packages_before=$(du -sm "$root" --one-file-system | cut -f1)

[ -d "$root$checkout" ] || git clone -q --no-hardlinks "$source" "$root$checkout"
[ $user = root ] || chroot "$root" chown -R $user: "$home"
inside() {
  env -i HOME=$home PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 TERM=dumb \
    $(env | grep -E '^(https?_proxy|HTTPS?_PROXY|no_proxy|NO_PROXY|PIP_[A-Z_]*|SSL_CERT_FILE|REMIXER_[A-Z_]*)=' | grep -v FIND_LINKS) \
    chroot --userspec="$user" "$root" bash -c "cd $checkout && $1"
}
for command in "${commands[@]}"; do
  echo "==> $command"
  start=$SECONDS
  inside "$command"
  echo "==> $command took $((SECONDS - start)) s; $(($(du -sm "$root" --one-file-system | cut -f1) - packages_before)) MB more on disk than the bare system"
done
