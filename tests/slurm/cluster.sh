#!/usr/bin/env bash
# A Slurm of the test's own on this machine: controller, two nodes of two processors and two pretended
# GPUs each, the partitions `main` and `high` (whose jobs preempt main's, which are requeued).
#
#   cluster.sh start FOLDER [PID]    boots it; FOLDER/etc/slurm.conf is for SLURM_CONF. It is stopped
#                                    when process PID is gone
#   cluster.sh stop FOLDER           ends every process that it started
#   cluster.sh lose-node FOLDER n1   kill -9 of a node's daemon and everything that runs there
#   cluster.sh start-node FOLDER n1
#   cluster.sh stop-controller FOLDER, start-controller FOLDER
#
# FOLDER is to be short: it holds sockets, whose paths end at 107 characters. Works as root and as
# any user. Where `unshare --uts` is allowed each node has a host name of its own, as real ones do;
# FOLDER/etc/own-names exists then. Without, Open MPI must be kept from shared memory
# (OMPI_MCA_btl=self,tcp), as the nodes look like one host to it.
# SPDX-License-Identifier: Apache-2.0
set -euo pipefail
command=${1:?}
root=${2:?}
nodes=(n1 n2)
export SLURM_CONF=$root/etc/slurm.conf
# Debian keeps the daemons where users' PATH does not look.
PATH=$PATH:/usr/sbin:/sbin

# A zombie is no longer running.
running() { [ -e "/proc/$1/status" ] && ! grep -q '^State:[[:space:]]*Z' "/proc/$1/status" 2>/dev/null; }

pid_in() { cat "$root/run/$1.pid" 2>/dev/null || true; }

stop_daemon() {
  local pid; pid=$(pid_in "$1")
  rm -f "$root/run/$1.pid"
  [ -n "$pid" ] && running "$pid" || return 0
  kill "$pid" 2>/dev/null || true
  for _ in $(seq 100); do running "$pid" || return 0; sleep 0.05; done
  kill -9 "$pid" 2>/dev/null || true
}

start_node() {
  local launch=()
  [ ! -e "$root/etc/own-names" ] || launch=(unshare --uts bash -c 'hostname "$0" && exec "$@"' "$1")
  "${launch[@]}" slurmd -N "$1" -f "$SLURM_CONF"
}

# Step daemons leave their node's daemon, but keep its log open; what they run carries the node's name
# in its environment. The step daemons die first: they would report the others' deaths.
lose_node() {
  python3 - "$root" "$1" <<'PYTHON'
import os, signal, sys
root, node = sys.argv[1:]
log, marks = f"{root}/log/slurmd-{node}.log", {f"SLURMD_NODENAME={node}", f"SLURM_CONF={root}/etc/slurm.conf"}
def opens_log(process):
    try:
        return any(os.readlink(f"/proc/{process}/fd/{fd}") == log for fd in os.listdir(f"/proc/{process}/fd"))
    except OSError:
        return False
def runs_there(process):
    try:
        with open(f"/proc/{process}/environ", "rb") as file:
            return marks <= set(file.read().decode(errors="replace").split("\0"))
    except OSError:
        return False
for _ in range(2):  # what was being started meanwhile is found the second time
    processes = [name for name in os.listdir("/proc") if name.isdigit() and int(name) != os.getpid()]
    for belongs in (opens_log, runs_there):
        for process in [each for each in processes if belongs(each)]:
            try:
                os.kill(int(process), signal.SIGKILL)
            except OSError:
                pass
PYTHON
  rm -f "$root/run/slurmd-$1.pid"
}

free_ports() {
  python3 - "$1" <<'PYTHON'
import socket, sys
sockets = [socket.socket() for _ in range(int(sys.argv[1]))]
for each in sockets: each.bind(("127.0.0.1", 0))
print(*(each.getsockname()[1] for each in sockets))
PYTHON
}

write_configuration() {
  mkdir -p "$root"/{etc,run,log,state,dev,spool,tmp}
  chmod 755 "$root" "$root"/*
  local host me ports memory node i=0
  host=$(hostname -s) me=$(id -un)
  read -ra ports <<< "$(free_ports 3)"
  memory=$(($(awk '/^MemTotal/ {print $2}' /proc/meminfo) / 1024))
  if [ "$(id -u)" = 0 ] && unshare --uts true 2>/dev/null; then touch "$root/etc/own-names"; fi
  echo CgroupPlugin=cgroup/v1 > "$root/etc/cgroup.conf"
  for i in 0 1; do ln -sfn /dev/null "$root/dev/gpu$i"; done
  cat > "$SLURM_CONF" <<CONFIGURATION
ClusterName=test
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=${ports[0]}
SlurmUser=$me
SlurmdUser=$me
AuthType=auth/munge
CredType=cred/munge
# A requeued job waits until its old credential has expired.
AuthInfo=socket=$root/run/munge.sock,cred_expire=5
StateSaveLocation=$root/state
SlurmdSpoolDir=$root/spool/%n
TmpFS=$root/tmp/%n
SlurmctldPidFile=$root/run/slurmctld.pid
SlurmdPidFile=$root/run/slurmd-%n.pid
SlurmctldLogFile=$root/log/slurmctld.log
SlurmdLogFile=$root/log/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,sched_min_interval=2,batch_sched_delay=0,bf_interval=1
SwitchType=switch/none
MpiDefault=none
GresTypes=gpu
ReturnToService=2
KillWait=30
InactiveLimit=0
MinJobAge=5
SlurmdTimeout=10
SlurmctldTimeout=60
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
JobRequeue=1
EnforcePartLimits=ALL
SlurmdParameters=config_overrides
MailProg=/bin/true
CONFIGURATION
  : > "$root/etc/gres.conf"
  i=0
  for node in "${nodes[@]}"; do
    i=$((i + 1))
    mkdir -p "$root/spool/$node" "$root/tmp/$node"
    echo "NodeName=$node Name=gpu Type=pretended File=$root/dev/gpu[0-1]" >> "$root/etc/gres.conf"
    echo "NodeName=$node NodeHostname=$([ -e "$root/etc/own-names" ] && echo "$node" || echo "$host")" \
      "NodeAddr=127.0.0.1 Port=${ports[$i]} CPUs=2 RealMemory=$memory Gres=gpu:pretended:2 State=UNKNOWN" >> "$SLURM_CONF"
  done
  cat >> "$SLURM_CONF" <<CONFIGURATION
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP PriorityTier=1 PreemptMode=REQUEUE
PartitionName=high Nodes=ALL MaxTime=INFINITE State=UP PriorityTier=10 PreemptMode=OFF
CONFIGURATION
  chmod 644 "$root"/etc/*
}

start_munge() {
  dd if=/dev/urandom of="$root/etc/munge.key" bs=128 count=1 status=none
  chmod 400 "$root/etc/munge.key"
  munged --force --socket="$root/run/munge.sock" --key-file="$root/etc/munge.key" \
    --log-file="$root/log/munged.log" --pid-file="$root/run/munged.pid" --seed-file="$root/state/munged.seed"
}

# Registered and reachable: neither unknown, down nor marked with a star.
wait_for_nodes() {
  local ready
  for _ in $(seq 300); do
    ready=$(timeout 5 sinfo --noheader --Node --partition=main --format=%t 2>/dev/null |
      grep -cvE '\*|unk|down|inval|futr') || true
    [ "$ready" = "${#nodes[@]}" ] && return 0
    sleep 0.1
  done
  echo "the nodes did not come up" >&2
  tail -n 5 "$root"/log/*.log >&2
  return 1
}

stop_all() {
  if [ -n "$(pid_in slurmctld)" ]; then
    timeout 10 scancel --quiet --full --signal=KILL --user="$(id -un)" 2>/dev/null || true
  fi
  local node
  for node in "${nodes[@]}"; do lose_node "$node"; done
  stop_daemon slurmctld
  stop_daemon munged
}

case $command in
  start)
    [ ! -e "$SLURM_CONF" ] || { echo "there is a cluster in $root already" >&2; exit 1; }
    write_configuration
    trap 'stop_all' ERR
    start_munge
    slurmctld -f "$SLURM_CONF"
    for node in "${nodes[@]}"; do start_node "$node"; done
    wait_for_nodes
    if [ -n "${3:-}" ]; then
      setsid bash -c 'while [ -e "$0/etc" ] && kill -0 "$1" 2>/dev/null; do sleep 2; done; [ ! -e "$0/etc" ] || "$2" stop "$0"' \
        "$root" "$3" "$(readlink -f "$0")" > /dev/null 2>&1 < /dev/null &
    fi ;;
  stop) stop_all ;;
  lose-node) lose_node "${3:?}" ;;
  start-node) start_node "${3:?}" ;;
  stop-controller) stop_daemon slurmctld ;;
  start-controller) slurmctld -f "$SLURM_CONF" ;;
  *) echo "cluster.sh: unknown command $command" >&2; exit 2 ;;
esac
