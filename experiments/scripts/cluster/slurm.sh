#!/bin/bash
# A sweep under SLURM: sbatch -n 128 experiments/scripts/cluster/slurm.sh MANIFEST.yaml RESULTS.h5
# One rank a core; points are handed out as ranks get free; rank 0 alone writes. Two minutes before its time is
# up the job is told to stop: what is finished is stored (exit 143), and the same command goes on with the rest;
# REQUEUE=1 has the job do that by itself. As a job array (sbatch --array=1-16 -n 8 ...) each element computes its own
# part of the points into RESULTS.PART.h5; "fibquant merge RESULTS.*.h5 -o RESULTS.h5" joins them. RESULTS.h5 and the cache folder, where codebooks are trained once, lie
# on a file system that all nodes see.
#SBATCH --job-name=fibquant
#SBATCH --ntasks=64
#SBATCH --cpus-per-task=1
#SBATCH --time=12:00:00
#SBATCH --signal=TERM@120
set -eu
manifest=$1 results=$2
export OMP_NUM_THREADS=${SLURM_CPUS_PER_TASK:-1}
export FIBQUANT_CACHE=${FIBQUANT_CACHE:-$PWD/fibquant-cache}

part=()
if [ -n "${SLURM_ARRAY_TASK_ID:-}" ]; then
    number=$((SLURM_ARRAY_TASK_ID - ${SLURM_ARRAY_TASK_MIN:-1} + 1))
    part=(--shard "$number/$SLURM_ARRAY_TASK_COUNT")
    results=${results%.h5}.$number.h5
fi

status=0
srun "${FIBQUANT:-fibquant}" sweep "$manifest" -o "$results" --resume --no-progress "${part[@]}" || status=$?
if { [ "$status" -eq 130 ] || [ "$status" -eq 143 ]; } && [ "${REQUEUE:-0}" = 1 ]; then
    scontrol requeue "$SLURM_JOB_ID"
fi
exit "$status"
