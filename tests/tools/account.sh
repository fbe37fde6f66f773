#!/bin/sh
# SPDX-License-Identifier: MIT
# account.sh DPCXR: dpcxr account as a user meets it, as TAP. The ledgers are made here, their chains with sha256sum.
set -u
export LC_ALL=C.UTF-8
unset DPCXR_PLUGIN_PATH

dpcxr=$(realpath "$1")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1
failed=0
number=0

# record CONTENT: one line of $ledger, its content without the closing brace
record() {
    head=$(printf '%s%s' "$head" "$1" | sha256sum | cut -d' ' -f1)
    printf '%s,"hash":"%s"}\n' "$1" "$head" >>"$ledger"
}
# ledger FOLDER ID ADJACENCY UNIT POPULATION, then steps COUNT SAMPLER RATE NOISE
ledger() {
    mkdir -p "$1"
    ledger=$1/ledger.jsonl head=0000000000000000000000000000000000000000000000000000000000000000 sequence=0 population=$5
    : >"$ledger"
    record "{\"record\":\"ledger\",\"version\":1,\"id\":\"$2\",\"adjacency\":\"$3\",\"unit\":\"$4\",\"population\":$5"
    record "{\"record\":\"process\",\"id\":\"$2\""
}
steps() {
    record "{\"record\":\"steps\",\"sequence\":$sequence,\"count\":$1,\"sampler\":\"$2\",\"sampling_rate\":$3,\"noise_multiplier\":$4,\"population\":$population,\"cap\":0"
    sequence=$((sequence + $1))
}
card() {
    cat >"$1" <<END
{"claim": {"delta": $2}, "mechanism": {"sampler": "poisson", "sampling_rate": 0.0625, "noise_multiplier": 1.5},
 "steps": {"recorded": 100, "claimed": $3}, "ledger_head": "$head"}
END
}

# check NAME STATUS PATTERN ARGUMENTS...: exit status, and a line of either stream that matches
check() {
    name=$1 expected=$2 pattern=$3
    shift 3
    "$dpcxr" account "$@" >"$scratch/out" 2>&1
    status=$?
    number=$((number + 1))
    if [ $status -eq "$expected" ] && tr -d '\n' <"$scratch/out" | tr -s ' ' | grep -qE -- "$pattern"; then
        echo "ok $number - $name"
    else
        echo "not ok $number - $name"
        { echo "exit status $status instead of $expected, or nothing matches $pattern" && cat "$scratch/out"; } | sed 's/^/# /'
        failed=1
    fi
}

id=00112233445566778899aabbccddee
ledger runs/a/release ${id}01 zero_out patient 1000
steps 100 poisson 0.0625 1.5
card runs/a/release/privacy.json 1e-05 100
ledger runs/b/release ${id}02 zero_out patient 1000
steps 60 poisson 0.0625 1.5
steps 40 poisson 0.0625 1.5
card runs/b/release/privacy.json 1e-05 150
ledger runs/full/private ${id}03 zero_out patient 1000
steps 5 full 1 4
ledger runs/image/private ${id}04 zero_out image 1000
steps 5 full 1 4

epsilon() { "$dpcxr" eps -q 0.0625 -s 1.5 -d 1e-5 -t "$1" | sed -n 's/^rdp *\([0-9.]*\).*/\1/p'; }

check "a run" 0 "account of 1 run: unit patient, N = 1000, adjacency zero_out.*100 x poisson at rate 0\.0625, noise multiplier 1\.5.*at delta 1e-05.*rdp $(epsilon 100)" runs/a
check "planned steps that are claimed" 0 "and 50 steps that were planned.*rdp $(epsilon 150)" runs/b
check "two runs composed" 0 "composition of 2 runs.*rdp $(epsilon 250)" runs/a runs/b
check "a ledger" 0 "rdp $(epsilon 100)" runs/a/release/ledger.jsonl
check "another delta" 0 "at delta 1e-09" runs/a --delta 1e-9
check "a delta that protects nobody" 0 "at delta 0\.01, which is not below 1/N" runs/a --delta 0.01
check "an attacker" 0 'bounds by the accountant rdp.*true positives at most [0-9.]+ % at 0\.1 % false.*at 1 % false.*at 10 % false.*advantage' runs/a
check "all accountants" 0 'gaussian refused: .*gdp [0-9.]+ - - \(an approximation, not a bound\).*rdp [0-9.]+ - .*zcdp refused' runs/a --accountant all
check "the best of them for the attacker" 0 'gaussian [0-9.]+ .*bounds by the accountant gaussian' runs/full --accountant all --delta 1e-5
check "reconstruction" 0 'probability 10 % without the release.*success at most [0-9.]+ %' runs/a --reconstruction 0.1
check "delta of an epsilon" 0 'at epsilon 2.*delta +lower +upper.*rdp [0-9.e-]+' runs/a --epsilon 2
check "a curve" 0 '# account of 1 run.*accountant,delta,epsilon,lower,upper.*gaussian,1e-15,[0-9.]+,[0-9.]+,[0-9.]+' runs/full --curve -a gaussian
check "a curve by all" 0 '# gaussian: refused.*rdp,1e-05,[0-9.]+,,[0-9.]+' runs/a --curve -a all
check "JSON" 0 '^\[ \{ "accountant" : "rdp", "epsilon" : [0-9.]+, "lower" : null, "upper" : [0-9.]+, "delta" : [0-9.e-]+, "attack" : \{ "advantage" : 0\.[0-9]+, "true_positive_rate" : \[ \{ "false_positive_rate" : 0\.001, "at_most" : 0\.[0-9]+ \}' runs/a --json
check "a curve as JSON" 0 '"accountant" : "rdp", "curve" : \[ \{ "delta" : 0\.5' runs/a --curve --json
check "groups" 0 'groups of K = 2 units by [a-z]*; group bound' runs/a --group 2
check "not ended" 0 'has not ended' runs/full -a gaussian --delta 1e-6

check "not ended, beside JSON" 0 'runs/full: has not ended' runs/full --delta 1e-6 --json

check "no delta" 2 'do not name one delta' runs/full
check "no run" 2 'which runs' --delta 1e-5
check "no such run" 2 'runs/c' runs/c --delta 1e-5
check "a run twice" 2 'the same run' runs/a runs/a/release/ledger.jsonl
check "two questions" 2 'ask one' runs/a --delta 1e-5 --epsilon 1
check "other units" 4 'runs/full has unit patient, runs/image has image' runs/full runs/image --delta 1e-5
check "a refusal" 4 'gaussian: is for full batches' runs/a -a gaussian
sed 's/1\.5/2.5/' runs/a/release/ledger.jsonl >changed.jsonl
check "a changed ledger" 4 'the hash chain does not hold' changed.jsonl --delta 1e-5
cp runs/b/release/privacy.json runs/a/release/
check "the card of another run" 4 'not about the ledger' runs/a

echo "1..$number"
exit $failed
