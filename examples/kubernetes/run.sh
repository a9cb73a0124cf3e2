#!/bin/sh
# Runs a recipe on Kubernetes: one Indexed Job per stage, each after the one before is complete.
#
#   IMAGE=registry/stackmill:0.1.0 RANKS=16 examples/kubernetes/run.sh NAME LOCAL-RECIPE RECIPE OUT
#   IMAGE=registry/stackmill:0.1.0 RANKS=16 examples/kubernetes/run.sh web corpus.toml /shared/corpus.toml /shared/corpus
#
# NAME      begins the names of the jobs: letters, digits and dashes, 40 at most
# RECIPE    path of the recipe in the pods, on the shared volume (volume.yaml); LOCAL-RECIPE is the same file, here:
#           it says which stages there are, and its sources need not be here
# OUT       folder of the data set in the pods
# IMAGE     an image with `stackmill` in its PATH
# RANKS     pods of a stage (16 if not said)
#
# If a stage fails, this stops with exit 1 and leaves its job to look at. Run the same command again: jobs of earlier
# attempts are replaced, tasks that are done are not done again, and the data set in the end is the same.
set -eu

if [ $# -ne 4 ] || [ -z "${IMAGE-}" ]; then
    sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2
    exit 2
fi
name=$1
plan=$2
recipe=$3
out=$4
here=$(cd "$(dirname "$0")" && pwd)

# Fills in stage.yaml: stage, number of ranks.
manifest() {
    sed -e "s|<NAME>|$name|g" -e "s|<STAGE>|$1|g" -e "s|<WORLD>|$2|g" \
        -e "s|<IMAGE>|$IMAGE|g" -e "s|<RECIPE>|$recipe|g" -e "s|<OUT>|$out|g" "$here/stage.yaml"
}

# Waits until a job is complete; a failed one is an error.
complete() {
    until kubectl wait --for=condition=complete --timeout=20s "job/$1" >/dev/null 2>&1; do
        if kubectl wait --for=condition=failed --timeout=0s "job/$1" >/dev/null 2>&1; then
            return 1
        fi
    done
}

stages=$(stackmill plan "$plan" --stages)
# A line is a stage's name and `1`, where one rank does all of it, or `*`.
while read -r stage share; do
    world=${RANKS:-16}
    if [ "$share" = 1 ]; then
        world=1
    fi
    job=$name-$stage
    # A job cannot be changed: one of an earlier attempt makes room, and its pods have ended before the new ones begin.
    kubectl delete job "$job" --ignore-not-found --cascade=foreground --wait=true
    manifest "$stage" "$world" | kubectl apply -f -
    if ! complete "$job"; then
        echo "stage $stage has failed: kubectl logs -l job-name=$job --tail=20; then run this again" >&2
        exit 1
    fi
done <<END
$stages
END
