#!/usr/bin/env bash
# Proves that a bare Debian 12 needs nothing but the README's commands: makes one in a folder
# (debootstrap and chroot), clones this checkout's HEAD into it and runs ./quickstart and ./check there.
# Run it as root before a release; a developer's machine hides a missing install step.
#
#   tests/fresh_machine.sh [--keep] [COMMAND...]
#
# COMMANDs (each one argument) replace the default './quickstart' './check'.
# FRESH_MACHINE names the folder (default: a new one below TMPDIR).
# SPDX-License-Identifier: Apache-2.0
set -euo pipefail
source=$(git -C "$(dirname "$(readlink -f "$0")")" rev-parse --show-toplevel)
keep=0
[ "${1:-}" != --keep ] || { keep=1; shift; }
commands=("$@")
[ $# -gt 0 ] || commands=(./quickstart ./check)
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
echo "==> a bare Debian 12 in $root"
sources=$(grep -lE '^(URIs:|deb) .*debian' /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null |
  xargs -r grep -lE '(/debian/?$|/debian |/debian-security)' || true)
mirror=$(cat $sources /dev/null | grep -E '^(URIs:|deb) ' | grep -oE 'https?://[^ ]+/debian/?( |$)' | head -n 1 || true)
debootstrap --variant=minbase --include=ca-certificates bookworm "$root" ${mirror:+"$mirror"} > "$root.log" 2>&1 ||
  { tail -n 20 "$root.log" >&2; exit 1; }
rm -f "$root.log"
# This machine's way to the network: package sources, resolver, certificates, pip's settings.
rm -rf "$root/etc/apt/sources.list" "$root/etc/apt/sources.list.d"
mkdir -p "$root/etc/apt/sources.list.d"
for file in $sources; do cp -L "$file" "$root$file"; done
cp -aL /etc/apt/apt.conf.d/. "$root/etc/apt/apt.conf.d/"
mkdir -p "$root/etc/ssl/certs"
for file in /etc/resolv.conf /etc/hosts /etc/pip.conf /etc/ssl/certs/ca-certificates.crt; do
  [ ! -e "$file" ] || cp -L "$file" "$root$file"
done
[ ! -d /root/.config/pip ] || { mkdir -p "$root/root/.config"; cp -a /root/.config/pip "$root/root/.config/"; }
mount -t proc proc "$root/proc" && mounted+=("$root/proc")
mount -t devpts devpts "$root/dev/pts" && mounted+=("$root/dev/pts")
mount -t tmpfs tmpfs "$root/dev/shm" && mounted+=("$root/dev/shm")
packages_before=$(du -sm "$root" --one-file-system | cut -f1)

git clone -q --no-hardlinks "$source" "$root/root/remixer"
inside() {
  env -i HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 TERM=dumb \
    $(env | grep -E '^(https?_proxy|HTTPS?_PROXY|no_proxy|NO_PROXY|PIP_[A-Z_]*|SSL_CERT_FILE)=' | grep -v FIND_LINKS) \
    chroot "$root" bash -c "cd /root/remixer && $1"
}
for command in "${commands[@]}"; do
  echo "==> $command"
  start=$SECONDS
  inside "$command"
  echo "==> $command took $((SECONDS - start)) s; $(($(du -sm "$root" --one-file-system | cut -f1) - packages_before)) MB more on disk than the bare system"
done
