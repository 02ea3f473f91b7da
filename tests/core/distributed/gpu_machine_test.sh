#!/bin/bash
# A worker on a machine that shows a GPU's driver and has none: /dev/nvidiactl is an empty file, in a
# /dev of this test's own (a private mount namespace). `auto` says why and serves on the CPU; `cuda`
# ends with bad input. Usage: gpu_machine_test.sh WORKER
# SPDX-License-Identifier: Apache-2.0
set -u
worker=$1

# Outside: makes the folder, and takes it away by names, never by recursion: what is mounted inside
# must not be reached.
if [ "${2:-}" != inside ]; then
  for unshare in "unshare -m" "unshare -Urm"; do
    $unshare true 2> /dev/null || continue
    folder=$(mktemp -d)
    mkdir "$folder/dev"
    $unshare bash "$0" "$worker" inside "$folder"
    code=$?
    rm -f "$folder/log"
    rmdir "$folder/dev" "$folder"
    exit "$code"
  done
  echo "no mount namespace can be made here: skipped"
  exit 77
fi

folder=$3
[ -e /dev/nvidiactl ] && { echo "this machine has a driver of its own: skipped"; exit 77; }
# A /dev of a few plain devices and an own /dev/shm; no folder of the machine's is in it.
mount --make-rprivate / && mount -t tmpfs tmpfs "$folder/dev" || exit 77
for name in null zero full random urandom; do
  touch "$folder/dev/$name" && mount --bind "/dev/$name" "$folder/dev/$name" || exit 77
done
ln -s /proc/self/fd "$folder/dev/fd"
mkdir "$folder/dev/shm" "$folder/dev/pts"
touch "$folder/dev/nvidiactl"
mount --rbind "$folder/dev" /dev || exit 77
mount -t tmpfs tmpfs /dev/shm || exit 77
mount -t devpts -o newinstance,ptmxmode=0666 devpts /dev/pts || exit 77
ln -s pts/ptmx /dev/ptmx

export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMP_NUM_THREADS=1
export OMPI_MCA_btl_vader_single_copy_mechanism=none
failed=0
expect() {  # $1: what, $2: exit code, $3: words of the log
  if [ "$code" != "$2" ] || ! grep -q "$3" "$folder/log"; then
    echo "$1: code $code instead of $2, or '$3' not found in:"
    cat "$folder/log"
    failed=1
  fi
}
# No daemon: the worker chooses its device, then gives up at once.
for ranks in 1 2; do
  mpirun --oversubscribe --bind-to none -n "$ranks" "$worker" --access "$folder/none.json" \
    --patience 0.1 --device auto > "$folder/log" 2>&1
  grep -q "on the CPU: machine .* shows no usable GPU to LibTorch" "$folder/log" || {
    echo "auto, $ranks rank(s): no reason in the log:"
    cat "$folder/log"
    failed=1
  }
  mpirun --oversubscribe --bind-to none -n "$ranks" "$worker" --access "$folder/none.json" \
    --patience 0.1 --device cuda > "$folder/log" 2>&1
  code=$?
  expect "cuda, $ranks rank(s)" 2 "a GPU was asked for (--device cuda), but machine"
done
exit "$failed"
