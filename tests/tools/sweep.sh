#!/bin/sh
# SPDX-License-Identifier: MIT
# sweep.sh DPCXR: dpcxr sweep as a user meets it, as TAP: small runs on drawn radiographs, signals, failures,
# a job array.
set -u
export LC_ALL=C.UTF-8
unset DPCXR_PLUGIN_PATH

dpcxr=$(realpath "$1")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1
failed=0
number=0
problem=

# try STATUS ARGUMENTS...: dpcxr sweep; remembers where the exit status is another.
try() {
    expected=$1
    shift
    "$dpcxr" sweep "$@" >out 2>err
    status=$?
    [ $status -eq "$expected" ] || problem="$problem; exit status $status instead of $expected"
}
# has FILE TEXT: remembers where it lacks the text. hasnt likewise.
has() {
    grep -qF -- "$2" "$1" || problem="$problem; no \"$2\" in $1"
}
hasnt() {
    ! grep -qF -- "$2" "$1" || problem="$problem; \"$2\" in $1"
}
# holds COMMAND...
holds() {
    "$@" || problem="$problem; not so: $*"
}
done_with() {
    number=$((number + 1))
    if [ -z "$problem" ]; then
        echo "ok $number - $1"
    else
        echo "not ok $number - $1"
        { echo "$problem" && cat out err; } | sed 's/^/# /'
        failed=1
    fi
    problem=
}
# column NAME RUN: of sweep.csv, whose cells have no commas here
column() {
    awk -F, -v name="$1" -v run="$2" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) c = i }
        $1 == run { print $c }' runs/s/sweep.csv
}
# upper ARGUMENTS...: epsilon as dpcxr account bounds it
upper() {
    "$dpcxr" account "$@" --json | sed -n 's/.*"upper" : \([0-9.]*\).*/\1/p'
}

cat >s.yaml <<'YAML'
name: s
data: {type: phantom, labels: [cardiomegaly], patients: 100, size: 32, image: {size: 16}}
train: {steps: 2, batch: {logical: 4}}
privacy: {epsilon: 8, delta: 1e-3}
device: {type: cpu, threads: 1}
sweep:
  list: [{privacy.epsilon: 2}, {privacy.epsilon: 8}, {privacy.epsilon: 4, model.init: weights.safetensors}]
YAML

# A failed run stops no other, and nothing is chosen before it is mended.
try 3 s.yaml -j 2
has out "3 points, 3 runs, 3 to do"
has out "failed     epsilon-4_init-weights.safetensors: weights.safetensors: cannot read"
has out "chosen     nothing: epsilon-4_init-weights.safetensors is not done (failed)"
has out "test       not read"
has err "1 run failed"
for run in epsilon-2 epsilon-8; do
    holds test -e runs/s/$run/DONE
    holds test -e runs/s/$run/private/predictions-valid.csv
    holds test ! -e runs/s/$run/private/predictions-test.csv
done
has runs/s/sweep.json '"status" : "failed"'
has runs/s/logs/epsilon-4_init-weights.safetensors.log "weights.safetensors"
holds test "$(stat -c %a runs/s/sweep.json runs/s/sweep.csv runs/s/logs | tr '\n' ' ')" = "600 600 700 "
done_with "a failed run stops no other"

# Its point taken out: nothing is trained again, one is chosen, and only that sees the test split.
two="sweep.list=[{privacy.epsilon: 2}, {privacy.epsilon: 8}]"
before=$(cat runs/s/epsilon-*/release/* | sha256sum)
try 0 s.yaml "$two" --json
has err "2 points, 2 runs, 0 to do"
has err "read for what was chosen only"
holds test "$(grep -c '^evaluate ' err)" -eq 1
holds test "$(ls runs/s/*/private/predictions-test.csv | wc -l)" -eq 1
chosen=$(sed -n 's/^evaluate *//p' err)
best=$(awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "valid_auroc") c = i }
    NR > 1 && (b == "" || $c > b) { b = $c; r = $1 } END { print r }' runs/s/sweep.csv)
holds test "$chosen" = "$best"
holds test "$(column chosen "$chosen")" = 1
holds test -n "$(column test_auroc "$chosen")"
holds test "$(column test_auroc epsilon-2)$(column test_auroc epsilon-8)" = "$(column test_auroc "$chosen")"
holds test "$(cat runs/s/epsilon-*/release/* | sha256sum)" = "$before"
holds cmp -s out runs/s/sweep.json
done_with "the test split is read for what was chosen, and nothing is done twice"

# What all of it cost is what dpcxr account says.
together=$(upper runs/s/epsilon-2 runs/s/epsilon-8)
said=$(sed -n '/"together"/,/"epsilon"/s/.*"epsilon" : \([0-9.]*\).*/\1/p' runs/s/sweep.json)
holds test "$said" = "$together"
has err "together   epsilon $(echo "$together" | cut -c 1-3)"
has err "what all 2 runs cost"
done_with "all runs together are composed"

# Equal noise: one training, many epsilons.
try 0 s.yaml "$two" sweep.at=noise "sweep.accountants=[rdp, {type: rdp, conversion: classic}, pld]"
has out "2 runs, 0 to do"
for label in rdp rdp-conversion-classic pld; do
    holds test -n "$(column "epsilon_$label" epsilon-8)"
done
holds test "$(column epsilon_rdp epsilon-8)" = "$(column epsilon epsilon-8)"
alone=$(upper runs/s/epsilon-8 --accountant pld)
holds awk "BEGIN { d = $(column epsilon_pld epsilon-8) - $alone; exit !(d < 1e-8 && d > -1e-8) }"
done_with "accountants at equal noise"

try 0 s.yaml "$two" sweep.test=all -j 2
has out "read for all points (sweep.test: all)"
holds test "$(ls runs/s/*/private/predictions-test.csv | wc -l)" -eq 2
has runs/s/sweep.json '"test" : "all"'
try 0 s.yaml "$two"
has out "but also read for"
done_with "the test split for all, and that it was"

try 4 s.yaml "$two" train.steps=3
has out "failed     epsilon-2: runs/s/epsilon-2: the section \"train\" is not the one"
done_with "runs of another configuration"

try 2 s.yaml "$two" --out runs/s name=epsilon-2
has err "is the folder of a run"
try 2 s.yaml "sweep.list=[]"
has err "nothing varies"
try 2
has err "of which experiment"
done_with "what is no sweep"

# Stopped by a signal: each run after a checkpoint. Run again, it goes on.
long="name=l train.steps=40 sweep.list=[] privacy.epsilon=2,8 -j 2"
"$dpcxr" sweep s.yaml $long >out 2>err &
process=$!
steps() {
    grep -c '"record":"steps"' "runs/l/$1/private/ledger.jsonl" 2>/dev/null || true
}
tries=0
while [ "$(steps epsilon-2)0" -lt 30 ] || [ "$(steps epsilon-8)0" -lt 30 ]; do
    tries=$((tries + 1))
    [ $tries -lt 1200 ] || break
    sleep 0.05
done
kill -TERM $process
wait $process
status=$?
[ $status -eq 75 ] || problem="$problem; exit status $status instead of 75"
has out "stopped    epsilon-2, to be resumed"
has runs/l/sweep.json '"stopped" : true'
holds test ! -e runs/l/epsilon-2/DONE
holds test -n "$(ls runs/l/epsilon-2/private/checkpoints)"
done_steps=$(steps epsilon-2)
try 0 s.yaml $long
has out "resume     epsilon-2"
has runs/l/sweep.json '"stopped" : false'
holds test "$(steps epsilon-2)" -eq 40
holds test "$done_steps" -lt 40
done_with "stopped by a signal, and on again"

# A job array: written, not submitted; each task is a run.
array() {
    try 0 s.yaml name=a "sweep.list=[]" privacy.epsilon=2,8 "sweep.accountants=[rdp, pld]" sweep.at=epsilon --slurm "$@"
}
array -j 2
has out "nothing was submitted"
has runs/a/sweep.sbatch "#SBATCH --array=0-3%2"
holds bash -n runs/a/sweep.sbatch
holds test ! -e runs/a/epsilon-2_accountant-rdp
SLURM_ARRAY_TASK_ID=1 bash runs/a/sweep.sbatch >out 2>err || problem="$problem; task 1 failed"
has out "accountant=pld run=runs/a/epsilon-2_accountant-pld"
SLURM_ARRAY_TASK_ID=1 SLURM_CPUS_PER_TASK=1 bash runs/a/sweep.sbatch >out 2>err || problem="$problem; task 1 failed again"
has out "nothing is left to do"
! SLURM_ARRAY_TASK_ID=4 bash runs/a/sweep.sbatch >out 2>err || problem="$problem; there is a task 4"
array
has runs/a/sweep.sbatch "#SBATCH --array=0-2"
hasnt runs/a/sweep.sbatch "epsilon-2_accountant-pld"
done_with "a job array"

echo "1..$number"
exit $failed
