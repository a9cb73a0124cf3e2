#!/bin/sh
# Submits a recipe to Slurm: one job array per stage, each after the one before has ended well.
#
#   RANKS=16 examples/slurm/submit.sh RECIPE OUT [options of `stackmill task` …]
#   RANKS=16 examples/slurm/submit.sh /shared/corpus.toml /shared/corpus --scratch /shared/scratch
#
# RECIPE, OUT and the scratch folder must be seen by all nodes under the same paths. RANKS is the size of the arrays
# (16 if not said). What a rank may use is in rank.sbatch; partition and account go there, too, or into sbatch's own
# variables (SBATCH_PARTITION, SBATCH_ACCOUNT). Prints one line a stage: its name and the number of its job.
#
# If a rank fails, the stages after it do not start. Run the same command again: tasks that are done are not done again,
# and the data set in the end is the same.
set -eu

if [ $# -lt 2 ]; then
    sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2
    exit 2
fi
recipe=$1
out=$2
shift 2
here=$(cd "$(dirname "$0")" && pwd)
stages=$(stackmill plan "$recipe" --stages)

after=
# A line is a stage's name and `1`, where one rank does all of it, or `*`.
while read -r stage share; do
    world=${RANKS:-16}
    if [ "$share" = 1 ]; then
        world=1
    fi
    # Quoted only if there is one: a first job waits for nobody.
    job=$(sbatch --parsable --job-name="stackmill-$stage" --array="0-$((world - 1))" \
        ${after:+"--dependency=afterok:$after"} --kill-on-invalid-dep=yes \
        "$here/rank.sbatch" "$recipe" "$out" "$stage" "$world" "$@")
    # Where there are several clusters, the answer is `job;cluster`.
    after=${job%%;*}
    printf '%-14s %s\n' "$stage" "$after"
done <<END
$stages
END
