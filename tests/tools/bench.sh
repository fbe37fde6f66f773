#!/bin/sh
# SPDX-License-Identifier: MIT
# bench.sh DPCXR: dpcxr bench ops on a Vulkan device as TAP. No time is judged.
set -u
export LC_ALL=C.UTF-8
unset DPCXR_VULKAN_TILES DPCXR_VULKAN_TUNING

dpcxr=$1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failed=0
number=0

# check NAME STATUS PATTERN COMMAND...: exit status, and what matches all of its output in one line
check() {
    name=$1 expected=$2 pattern=$3
    shift 3
    "$@" >"$scratch/out" 2>&1
    status=$?
    number=$((number + 1))
    if [ $status -eq "$expected" ] && tr '\n' ' ' <"$scratch/out" | tr -s ' ' | grep -qE -- "$pattern"; then
        echo "ok $number - $name"
    else
        echo "not ok $number - $name"
        { echo "exit status $status instead of $expected, or nothing matches $pattern" && cat "$scratch/out"; } | sed 's/^/# /'
        failed=1
    fi
}
with() {
    env DPCXR_VULKAN_TILES="$1" "$dpcxr" bench ops --device vulkan --size 16 --batch 1 --repeats 1
}

check "tiles of a processor" 2 'tune needs --device vulkan' "$dpcxr" bench ops --tune
check "an unknown backend" 2 'no backend|not a backend|device' "$dpcxr" bench ops --device nosuch
if ! "$dpcxr" devices | grep -q '^vulkan 0 '; then
    echo "ok 3 - bench ops # SKIP no Vulkan device"
    echo "1..3"
    exit $failed
fi
rates='"gflops" : [0-9.e+-]+, "of_peak" : [0-9.e+-]+'
check "operations, as JSON" 0 \
    "\"backend\" : \"vulkan\", .*\"peak\" : \\{ \"device\" : .*\"name\" : \"conv1\", .*\"forward\" : \\{ \"ms\" : [0-9.e+-]+, $rates .*\"weights\" .*\"phase_b\" .*\"name\" : \"fc\"" \
    "$dpcxr" bench ops --device vulkan --size 32 --batch 2 --repeats 1 --json
check "no such device" 2 'no-such-device' "$dpcxr" bench ops --device vulkan --device-name no-such-device
check "a tile without a depth" 2 'DPCXR_VULKAN_TILES: "forward=8,1,2,2" is no tile' with "forward=8,1,2,2"
check "a tile of nothing" 2 'DPCXR_VULKAN_TILES: "norm=8,1,2,2,0" is no tile' with "norm=8,1,2,2,0"
export DPCXR_VULKAN_TUNING=gpu # shared memory on any device
check "a tile twice" 2 'DPCXR_VULKAN_TILES: "gram=8,8,4,4,16" is no tile' with "gram=8,8,4,4,16;gram=8,8,4,4,16"
check "sums in parts that are too short" 2 'gram: .* takes no tile 8,8,4,4,8: .*k 16 to 64' with "gram=8,8,4,4,8"
check "a tile that is too large" 2 'DPCXR_VULKAN_TILES: data: .* takes no tile 1024,1024,16,16,64' with "data=1024,1024,16,16,64"

echo "1..$number"
exit $failed
