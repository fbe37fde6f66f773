#!/bin/sh
# SPDX-License-Identifier: MIT
# eval.sh DPCXR BUILD: dpcxr eval as a user meets it, as TAP.
set -u
export LC_ALL=C.UTF-8
unset DPCXR_PLUGIN_PATH

dpcxr=$(realpath "$1")
build=$(realpath "$2")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1
failed=0
number=0

# ok NAME COMMAND...: whether the command succeeds
ok() {
    name=$1
    shift
    number=$((number + 1))
    if "$@" >log 2>&1; then
        echo "ok $number - $name"
    else
        echo "not ok $number - $name"
        sed 's/^/# /' log | head -20
        failed=$((failed + 1))
    fi
}
# ends STATUS PATTERN ARGUMENTS...: dpcxr's exit status, and a line of either stream that matches
ends() {
    wanted=$1 pattern=$2
    shift 2
    "$dpcxr" "$@" >said 2>&1
    status=$?
    cat said
    [ $status = "$wanted" ] && grep -q -- "$pattern" said
}
lacks() {
    ! grep -q "$@"
}

cat >small.yaml <<END
name: small
device: {type: cpu, threads: 2}
plugins: ['$build/docs/examples']
data: {type: phantom, patients: 300, size: 64, labels: [cardiomegaly, congestion], image: {size: 32, channels: 1},
       groups: {sex: {column: sex}, age: {column: age, bins: [0, 60, 120]}}}
model: {type: small_cnn, width: 8}
optimizer: {type: nadam, lr: 1e-3}
train: {steps: 3, batch: {logical: 12, physical: 16}}
privacy: {epsilon: 8, delta: 1e-3, accountant: {type: rdp}}
evaluate: {ci: {replicates: 40}, groups: {min_n: 5, min_pos: 2}}
END

echo 1..18
ok "a run is evaluated with intervals" ends 0 "^RESULT auroc=0" run small.yaml --quiet
cp runs/small/private/results.json first.json
ok "no NaN is written" lacks -i -w nan first.json
ok "again from its files" ends 0 "all of it: runs/small/private/results.json" eval runs/small
ok "says the same, to the last digit" cmp first.json runs/small/private/results.json
ok "also with one thread" ends 0 "mean " eval runs/small device.threads=1
ok "which is the same" cmp first.json runs/small/private/results.json
ok "groups and crossings are shown" ends 0 "by sex x age" eval runs/small
ok "another rule, still on valid" ends 0 '"rule" : "sensitivity"' eval runs/small evaluate.threshold.rule=sensitivity \
    evaluate.threshold.value=0.9 evaluate.ci.method=none --json
ok "thresholds from test are refused" ends 2 "use valid" eval runs/small evaluate.threshold.from=test
ok "what a run was cannot be changed" ends 2 "only evaluate" eval runs/small train.steps=4
ok "DeLong with several images a patient is refused" ends 3 "use bootstrap" eval runs/small evaluate.ci.method=delong
ok "before a training, too" ends 3 "use bootstrap" run small.yaml name=no evaluate.ci.method=delong
ok "which leaves nothing" [ ! -e runs/no ]

"$dpcxr" eval runs/small >/dev/null
sed 's/^name: small/name: other/' small.yaml >other.yaml
ok "other data, with the run's weights" ends 0 "runs/small/private/eval/other/results.json" eval runs/small --on other.yaml
ok "the same images have the same scores" cmp runs/small/private/predictions-test.csv \
    runs/small/private/eval/other/predictions-test.csv
thresholds() {
    sed -n '/"thresholds"/,/}/p' "$1"
}
same_thresholds() {
    thresholds first.json >one
    thresholds runs/small/private/eval/other/results.json >two
    [ -s one ] && cmp one two
}
ok "and the run's own working points" same_thresholds
sed 's/labels: .cardiomegaly, congestion./labels: [congestion, cardiomegaly]/' other.yaml >labels.yaml
ok "other labels are refused" ends 2 "data.labels of other" eval runs/small --on labels.yaml
rm runs/small/private/predictions-*
ok "without predictions there is nothing to evaluate" ends 3 "has no predictions" eval runs/small
exit $failed
