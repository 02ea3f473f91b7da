# The daemon as a batch job: it gives out work, and keeps allocations for it. Before its own time limit
# it hands over: allocations stay, their workers wait, and the job goes back into the queue and on from
# there. It ends for good once every grid has ended, or when it is cancelled.
#
# Set above this text, from the site's file: remixer, workspace, site (the site's file), listen (words
# of `remixer slurm up` about addresses), state_folder (on a local disk; empty: remixer's choice).
set -u

echo "$(date '+%F %T') daemon's job ${SLURM_JOB_ID:?this script is for sbatch} on $(hostname)"
kept=$workspace/slurm-state

# The database must be on a local disk, but the next node may be another one. So it is taken along by
# way of the workspace, whole, while no daemon has it open. `host` says where it is meanwhile.
take_up() {
  local owner
  mkdir -p "$kept" "$state_folder" || return 1
  owner=$(cat "$kept/host" 2>/dev/null)
  if [ -n "$owner" ] && [ "$owner" != "$(hostname)" ]; then
    echo "the database is still on $owner, where the daemon's job was lost; submit this script with" \
      "--nodelist=$owner, or remove $kept/host to go on from the copy of $(date -r "$kept/remixer.db" '+%F %T' 2>/dev/null)" >&2
    return 1
  fi
  if [ -z "$owner" ] && [ -e "$kept/remixer.db" ]; then
    rm -f "$state_folder"/remixer.db-wal "$state_folder"/remixer.db-shm
    cp "$kept/remixer.db" "$state_folder/remixer.db.new" && sync "$state_folder/remixer.db.new" &&
      mv "$state_folder/remixer.db.new" "$state_folder/remixer.db" || return 1
  fi
  hostname > "$kept/host.new" && sync "$kept/host.new" && mv "$kept/host.new" "$kept/host"
}

put_back() {
  # A log that is left means that the daemon did not end in order: the copy would not be whole.
  [ ! -s "$state_folder/remixer.db-wal" ] || return 1
  cp "$state_folder/remixer.db" "$kept/remixer.db.new" && sync "$kept/remixer.db.new" &&
    mv "$kept/remixer.db.new" "$kept/remixer.db" && rm -f "$kept/host"
}

if [ -n "$state_folder" ]; then
  export REMIXER_STATE_FOLDER=$state_folder
  take_up || exit 1
fi

hand_over=0
# USR2 comes before the time limit (--signal), TERM on scancel and preemption.
trap 'hand_over=1; "$remixer" --workspace "$workspace" down --keep-allocations &' USR2
trap '"$remixer" --workspace "$workspace" down &' TERM
"$remixer" --workspace "$workspace" slurm up "$site" "${listen[@]}" --until-done &
daemon=$!
while kill -0 "$daemon" 2>/dev/null; do wait "$daemon"; done
wait "$daemon"
code=$?
[ -z "$state_folder" ] || put_back || echo "the database stays in $state_folder on $(hostname)" >&2
echo "$(date '+%F %T') the daemon ended with code $code"
if [ "$hand_over" = 1 ]; then
  scontrol requeue "$SLURM_JOB_ID" && sleep 60
fi
exit "$code"
