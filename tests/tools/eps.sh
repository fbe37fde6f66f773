#!/bin/sh
# SPDX-License-Identifier: MIT
# eps.sh DPCXR: dpcxr eps and dpcxr sigma as a user meets them, as TAP.
set -u
export LC_ALL=C.UTF-8
unset DPCXR_PLUGIN_PATH

dpcxr=$1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failed=0
number=0

# check NAME STATUS PATTERN ARGUMENTS...: exit status, and a line of either stream that matches
check() {
    name=$1 expected=$2 pattern=$3
    shift 3
    "$dpcxr" "$@" >"$scratch/out" 2>&1
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

run="--sampling-rate 0.04 --steps 2250 --delta 1e-5"
check "eps" 0 'rdp 7\.3283' eps $run --noise-multiplier 1.5
check "eps --json" 0 '^\[ \{ "accountant" : "rdp", "epsilon" : 7\.3283[0-9]*, "lower" : null, "upper" : 7\.3283[0-9]*, "delta" : [0-9.e-]* \}\]$' \
    eps $run --noise-multiplier 1.5 --json
check "eps with the orders of a table" 0 'rdp 7\.329112' eps $run --noise-multiplier 1.5 --options '{orders: [3.8, 3.9, 4]}'
check "eps --accountant all" 0 'rdp 7\.3283' eps $run --noise-multiplier 1.5 --accountant all
check "eps, every unit every step" 0 'rdp 13\.37' eps --sampler full --noise-multiplier 1 --steps 5 --delta 1e-6
pool="--population 1715 --steps 800 --delta 1e-5 --noise-multiplier 1.5"
check "eps, truncated" 0 'rdp 8\.42984' eps $pool --sampler truncated_poisson --sampling-rate 0.0746 --cap 190
check "eps, truncated so rarely that it costs nothing" 0 'rdp 8\.42984' eps $pool --sampler truncated_poisson --sampling-rate 0.0746
check "eps, fixed size" 0 'rdp 37\.237' eps $pool --sampler fixed --cap 128
check "eps, shuffled epochs" 0 'gaussian 33\.818969' eps $pool --sampler shuffle --cap 128 --accountant all
check "sigma, shuffled epochs" 0 'gaussian [0-9.]+ +7\.99' sigma --population 1715 --steps 800 --delta 1e-5 --epsilon 8 --sampler shuffle --cap 128 -a gaussian
check "sigma, fixed size, replace_one" 0 'rdp [0-9.]+ +7\.99' sigma --population 1715 --steps 800 --delta 1e-5 --epsilon 8 --sampler fixed --cap 128 --adjacency replace_one
check "a rate that is not cap / population" 2 'a rate of 0\.1; leave it out' eps --sampler fixed --population 100 --cap 10 --sampling-rate 0.2 --steps 3 --noise-multiplier 1 --delta 1e-3
check "fixed without a population" 2 'needs --cap B and --population N' eps $run --noise-multiplier 1.5 --sampler fixed --cap 10
check "truncated without a population" 2 'needs --population N' eps $run --noise-multiplier 1.5 --sampler truncated_poisson --cap 10
check "fixed under add_remove" 4 'zero_out or replace_one' eps $pool --sampler fixed --cap 128 --adjacency add_remove
check "shuffle under add_remove" 4 'zero_out or replace_one' eps $pool --sampler shuffle --cap 128 --adjacency add_remove -a gaussian
check "truncated under replace_one" 4 'zero_out or add_remove' eps $pool --sampler truncated_poisson --sampling-rate 0.0746 --cap 190 --adjacency replace_one
check "gaussian knows no fixed size" 4 'accountant rdp, which covers samples of a fixed size' eps $pool --sampler fixed --cap 128 -a gaussian
check "zcdp knows no truncated samples" 4 'accountant rdp, which covers Poisson' eps $pool --sampler truncated_poisson --sampling-rate 0.0746 --cap 190 -a zcdp
check "gdp knows no fixed size" 4 'accountant rdp' eps $pool --sampler fixed --cap 128 -a gdp
check "sigma" 0 'rdp 1\.4157[0-9]* 7\.99' sigma $run --epsilon 8
check "sigma --json" 0 '"accountant" : "rdp", "noise_multiplier" : 1\.4157[0-9]*, "epsilon" : 7\.99' sigma $run --epsilon 8 --json
check "a refusal" 4 'replace_one' eps $run --noise-multiplier 1.5 --adjacency replace_one
check "a refusal as JSON" 4 '"accountant" : "rdp", "refused" : "rdp: .*replace_one' eps $run --noise-multiplier 1.5 --adjacency replace_one --json
check "all refuse" 4 'zero_out or replace_one' eps --steps 25 --delta 1e-5 --population 250 --cap 10 --adjacency add_remove --noise-multiplier 1.5 --sampler shuffle --accountant all
check "out of reach" 4 'cannot be reached' sigma --sampler full --steps 1000000000000000 --delta 1e-15 --epsilon 1e-6
check "delta of an epsilon" 0 'accountant delta .*rdp (9\.99[0-9]*e-06|1e-05)' eps --sampling-rate 0.04 --steps 2250 --noise-multiplier 1.5 --epsilon 7.328353
check "delta of an epsilon as JSON" 0 '"delta" : [0-9.e-]*, "lower" : null, "upper" : [0-9.e-]*, "epsilon" : 3' \
    eps --sampling-rate 0.04 --steps 2250 --noise-multiplier 1.5 --epsilon 3 --json
check "a curve" 0 '^accountant,delta,epsilon,lower,upperrdp,0\.5,.*rdp,1e-05,7\.3283' eps --sampling-rate 0.04 --steps 2250 --noise-multiplier 1.5 --curve
check "eps --group" 0 'groups of K = 3 units by rdp; group bound.*rdp 6\.422' eps --sampling-rate 0.0064 --noise-multiplier 1 --steps 782 --delta 1e-6 --group 3
check "eps --group without sampling" 0 'with 1/K of the noise.*gaussian 30\.57888' eps --sampler full --noise-multiplier 1 --steps 5 --delta 1e-6 --group 2 -a all
check "eps --group --json" 0 '"group" : 3, "group_method" : "group bound' eps --sampling-rate 0.0064 --noise-multiplier 1 --steps 782 --delta 1e-6 --group 3 --json
check "sigma --group" 0 'rdp 0\.93477[0-9]* *7\.99' sigma --sampling-rate 0.0064 --steps 782 --delta 1e-6 --epsilon 8 --group 3
check "a group of nobody" 2 'at least 1' eps $run --noise-multiplier 1.5 --group 0
check "an approximation" 0 'gdp 7\.99[0-9]* - - .an approximation, not a bound' eps $run --noise-multiplier 1.3232421875 --accountant gdp
check "an approximation is no ground for noise" 4 'gdp' sigma $run --epsilon 8 --accountant gdp
check "delta and epsilon" 2 'ask one' eps $run --noise-multiplier 1.5 --epsilon 1
check "nothing given" 2 'noise-multiplier is missing' eps
check "no delta" 2 'delta is missing' eps --sampling-rate 0.1 --steps 10 --noise-multiplier 1
check "delta of 1" 2 'delta is 1' eps --sampling-rate 0.1 --steps 10 --noise-multiplier 1 --delta 1
check "a rate above 1" 2 'above 0 and at most 1' eps --sampling-rate 1.1 --steps 10 --noise-multiplier 1 --delta 1e-5
check "no steps" 2 'at least 1' eps --sampling-rate 0.1 --steps 0 --noise-multiplier 1 --delta 1e-5
check "no noise" 2 'above 0' eps --sampling-rate 0.1 --steps 10 --noise-multiplier 0 --delta 1e-5
check "an unknown accountant" 2 'rpd' eps $run --noise-multiplier 1.5 --accountant rpd
check "an unknown sampler" 2 "not 'poison'" eps $run --noise-multiplier 1.5 --sampler poison
check "a wrong option" 2 'classic' eps $run --noise-multiplier 1.5 --options '{conversion: clasic}'
check "a cap without a sampler for it" 2 'truncated_poisson' eps $run --noise-multiplier 1.5 --cap 10

echo "1..$number"
exit $failed
