#!/bin/sh
# SPDX-License-Identifier: MIT
# devices.sh DPCXR LAYERS VULKAN: dpcxr devices as TAP. LAYERS: the folder of the faulty layer, through which a device looks like
# another (tests/vulkan). VULKAN: whether this build has the vulkan backend, true or false.
set -u
export LC_ALL=C.UTF-8
unset VK_INSTANCE_LAYERS VK_DRIVER_FILES VK_ICD_FILENAMES DPCXR_VULKAN_VALIDATE

dpcxr=$1 layers=$2 vulkan=$3
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
skip() {
    number=$((number + 1))
    echo "ok $number - $1 # SKIP $2"
}

check "processors" 0 '^cpu [0-9]+ threads?, .*oneDNN.*fp32.* ref [0-9]+ thread.* auto (cpu|vulkan)' "$dpcxr" devices
check "as JSON" 0 '^\{ "cpu" : \{ "threads" : [0-9]+, .*"ref" : .*"vulkan" : \[.*"auto" : "(cpu|vulkan)" \} $' "$dpcxr" devices --json
check "an argument too many" 2 '"0" is not expected here' "$dpcxr" devices 0

if [ "$vulkan" != true ]; then
    check "a build without Vulkan" 0 'vulkan none: this build is without Vulkan.* auto cpu $' "$dpcxr" devices
    check "as JSON" 0 '"vulkan" : \[\], "no_vulkan" : "this build is without Vulkan.*", "auto" : "cpu" \} $' "$dpcxr" devices --json
    echo "1..$number"
    exit $failed
fi

: >"$scratch/libvulkan.so" # no loader, wherever one is installed
: >"$scratch/libvulkan.so.1"
check "no loader" 0 'vulkan none: this machine has no Vulkan loader .* auto cpu $' env LD_LIBRARY_PATH="$scratch" "$dpcxr" devices
if "$dpcxr" devices | grep -q 'no Vulkan loader'; then
    skip "devices" "this machine has no Vulkan loader"
    echo "1..$number"
    exit $failed
fi
check "no driver" 0 'vulkan none: this machine has no Vulkan driver .* auto cpu $' env VK_ICD_FILENAMES="$scratch/none.json" "$dpcxr" devices
check "no driver, as JSON" 0 '"vulkan" : \[\], "no_vulkan" : "this machine has no Vulkan driver' env VK_ICD_FILENAMES="$scratch/none.json" "$dpcxr" devices --json

# with SETTING... COMMAND: the devices of this machine as the faulty layer shows them
with() {
    env NODEVICE_SELECT=1 VK_ADD_LAYER_PATH="$layers" VK_INSTANCE_LAYERS=VK_LAYER_DPCXR_faulty "$@"
}
if ! with "$dpcxr" devices 2>/dev/null | grep -q '^vulkan 0 '; then
    skip "devices through the faulty layer" "no Vulkan device"
    echo "1..$number"
    exit $failed
fi
for kind in discrete integrated virtual; do
    check "$kind" 0 "vulkan 0 .*: $kind, [0-9.]+ GB, driver .*, Vulkan 1\.[0-9.]+ UUID [0-9a-f-]{36}; storage ranges up to .*auto takes it .*auto vulkan 0 $" \
        with DPCXR_FAULTY_TYPE=$kind "$dpcxr" devices
done
check "software" 0 'vulkan 0 .*: software, .*auto does not take it.* auto cpu $' with DPCXR_FAULTY_TYPE=cpu "$dpcxr" devices
check "discrete, as JSON" 0 '"index" : 0, "name" : ".*", "uuid" : "[0-9a-f-]{36}", "kind" : "discrete", .*"auto" : true, .*"auto" : "vulkan" \} $' \
    with DPCXR_FAULTY_TYPE=discrete "$dpcxr" devices --json
check "no float64" 0 'fp32(, fp16)?; no noise\.type grid, which needs float64 and int64' with DPCXR_FAULTY_NO_FLOAT64=1 "$dpcxr" devices
check "a small storage range and heap" 0 'cpu .*: [a-z]+, 0\.1 GB, .*storage ranges up to 0\.0336 GB' \
    with DPCXR_FAULTY_STORAGE_RANGE_MB=32 DPCXR_FAULTY_HEAP_MB=64 "$dpcxr" devices
check "no devices" 0 'vulkan none: this machine has no Vulkan device .* auto cpu $' with DPCXR_FAULTY_NO_DEVICES=1 "$dpcxr" devices
check "Vulkan that is broken" 1 'vkCreateInstance: initialisation failed' with DPCXR_FAULTY_TYPE=none "$dpcxr" devices

echo "1..$number"
exit $failed
