#!/usr/bin/env bash
# A sweep over machines that share nothing but ssh: ssh.sh MANIFEST.yaml RESULTS.h5 HOST...
# Each host computes its share of the seeds or replicates into a file of its own; the files are fetched and
# merged. Where there is an MPI, "mpirun --host a,b fibquant sweep ..." spreads single points instead.
# SEEDS (default "1 2 3 4") are dealt out to the hosts. Run it again after a failure: hosts go on where they
# were. SSH and SCP name other commands than ssh and scp.
set -euo pipefail
[ $# -ge 3 ] || { sed -n '2,6s/^# \{0,1\}//p' "$0"; exit 2; }
manifest=$1 results=$2
shift 2
hosts=("$@")
fibquant=${FIBQUANT:-fibquant} ssh=${SSH:-ssh} scp=${SCP:-scp}
read -ra seeds <<<"${SEEDS:-1 2 3 4}"
name=$(basename "$results" .h5)

parts=() jobs=()
for i in "${!hosts[@]}"; do
    host=${hosts[$i]} own=()
    for ((s = i; s < ${#seeds[@]}; s += ${#hosts[@]})); do own+=("${seeds[$s]}"); done
    [ ${#own[@]} -gt 0 ] || continue
    list=$(IFS=,; echo "${own[*]}")
    part=$name.part$i.h5
    parts+=("$part")
    (
        $scp "$manifest" "$host:$name.yaml"
        status=0
        $ssh "$host" "$fibquant sweep $name.yaml -o $part --set 'seeds=[$list]' --resume -q" || status=$?
        [ "$status" -eq 0 ] || [ "$status" -eq 5 ] # 5: some points failed; the others are worth fetching
        $scp "$host:$part" "$part"
    ) &
    jobs+=($!)
done
for job in "${jobs[@]}"; do wait "$job"; done
"$fibquant" merge "${parts[@]}" -o "$results.new" && mv "$results.new" "$results"
