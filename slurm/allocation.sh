# What an allocation does: keeps its workers running until they have nothing more to do, and has them
# write their checkpoints before the time is over or the allocation is taken away.
#
# Set above this text, from the site's file: seconds (the time limit), checkpoint_seconds (before it,
# for checkpoints), cpus_per_rank, workers, launch (the words that start a worker's ranks), worker (the
# worker's own words).
set -u

# "slurm:123" or, for an element of an array, "slurm:120_3": as squeue writes it.
job=${SLURM_JOB_ID:?this script is for sbatch}
[ -z "${SLURM_ARRAY_JOB_ID:-}" ] || job=${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID
export REMIXER_ALLOCATION=slurm:$job
# When work has to stop: what takes longer is not begun.
export REMIXER_ENDS_AT=$((${SLURM_JOB_END_TIME:-$(date +%s) + seconds} - checkpoint_seconds))

# Results of a resumed run equal an uninterrupted one's where the number of threads is the same.
export OMP_NUM_THREADS=$cpus_per_rank REMIXER_CORES_PER_RANK=$cpus_per_rank
# They share the memory of their machines.
export REMIXER_WORKERS_HERE=$workers
# Copying straight between processes is forbidden in many containers.
export OMPI_MCA_btl_vader_single_copy_mechanism=none
# mpirun passes SIGTERM on and kills what is left after so many seconds.
export OMPI_MCA_odls_base_sigkill_timeout=25
if [ "$(id -u)" = 0 ]; then export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1; fi
# Of the job that asked for this one, where the daemon is a job itself; srun would obey them.
unset SLURM_CPU_BIND SLURM_MEM_PER_CPU SLURM_MEM_PER_GPU

echo "$(date '+%F %T') allocation $job on ${SLURM_JOB_NODELIST:-this host}, restart ${SLURM_RESTART_COUNT:-0}," \
  "works until $(date -d "@$REMIXER_ENDS_AT" '+%F %T')"

# The part number $1 (0, 1, ...) of $2 of the list $3, which has commas: equal parts, or one thing each
# in turn where there are fewer things than parts.
part_of() {
  local things from to
  IFS=, read -ra things <<< "$3"
  if ((${#things[@]} < $2)); then
    echo "${things[$1 % ${#things[@]}]}"
    return
  fi
  from=$(($1 * ${#things[@]} / $2)) to=$((($1 + 1) * ${#things[@]} / $2))
  (IFS=, && echo "${things[*]:from:to - from}")
}

# Runs worker number $1; again where it asks for that or dies, at most five quick deaths in a row.
keep_worker() {
  local child=0 code=0 stop=0 deaths=0 begun
  # USR2 is sent before the time limit (--signal), TERM on preemption and scancel. A worker takes
  # USR2 as the wish for a checkpoint and an end, under srun and mpirun alike.
  # srun gives each of its steps GPUs of its own; mpirun shows every worker all of them.
  if [ "${launch[0]}" = mpirun ] && ((workers > 1)) && [ -n "${CUDA_VISIBLE_DEVICES:-}" ]; then
    CUDA_VISIBLE_DEVICES=$(part_of "$1" "$workers" "$CUDA_VISIBLE_DEVICES")
    export CUDA_VISIBLE_DEVICES
  fi
  trap 'stop=1; [ "$child" = 0 ] || kill -USR2 "$child" 2>/dev/null' USR2 TERM
  while [ "$stop" = 0 ]; do
    begun=$SECONDS
    "${launch[@]}" "${worker[@]}" &
    child=$!
    [ "$stop" = 0 ] || kill -USR2 "$child"
    # A signal ends wait, not the worker.
    while kill -0 "$child" 2>/dev/null; do wait "$child"; done
    wait "$child"
    code=$?
    child=0
    [ "$code" != 0 ] || return 0
    echo "$(date '+%F %T') the worker ended with code $code"
    [ "$stop" = 0 ] || break
    # Bad usage or input: the same again would end the same way.
    [ "$code" != 2 ] || return 2
    ((SECONDS - begun < 20)) || deaths=0
    ((++deaths < 5)) || return "$code"
    sleep "$deaths"
  done
  return 0
}

children=()
for ((i = 0; i < workers; ++i)); do
  keep_worker "$i" &
  children+=($!)
done
trap 'kill -USR2 "${children[@]}" 2>/dev/null' USR2 TERM
result=0
for child in "${children[@]}"; do
  while kill -0 "$child" 2>/dev/null; do wait "$child"; done
  wait "$child" || result=$?
done
echo "$(date '+%F %T') allocation $job ends with code $result"
exit "$result"
