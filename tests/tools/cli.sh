#!/bin/sh
# SPDX-License-Identifier: MIT
# cli.sh DPCXR BUILD SOURCE CC: exit statuses, and what goes to which stream, as TAP.
set -u
export LC_ALL=C.UTF-8
unset DPCXR_PLUGIN_PATH

dpcxr=$1 build=$2 source=$3 cc=$4
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

failed=0
number=0
# try STATUS COMMAND...: keeps its output, and remembers where the exit status is another.
try() {
    expected=$1
    shift
    "$@" >"$scratch/out" 2>"$scratch/err"
    status=$?
    problem=
    [ $status -eq "$expected" ] || problem="exit status $status instead of $expected"
}
# has out|err TEXT: remembers where the stream lacks the text. is_empty out|err likewise.
has() {
    grep -qF -- "$2" "$scratch/$1" || problem="$problem; no \"$2\" in $1"
}
is_empty() {
    [ ! -s "$scratch/$1" ] || problem="$problem; $1 is not empty"
}
done_with() {
    number=$((number + 1))
    if [ -z "$problem" ]; then
        echo "ok $number - $1"
        return
    fi
    echo "not ok $number - $1"
    { echo "$problem" && cat "$scratch/out" "$scratch/err"; } | sed 's/^/# /'
    failed=1
}

try 2 "$dpcxr"; is_empty out; has err "usage: dpcxr COMMAND"
done_with "without a command"
try 0 "$dpcxr" --help; is_empty err; has out "plugins"
done_with "--help"
try 0 "$dpcxr" --version; has out "plugin ABI 1.2"
done_with "--version"
try 2 "$dpcxr" trian; is_empty out; has err '"trian" is not a command'
done_with "an unknown command"

try 2 "$dpcxr" audit x.yaml; is_empty out; has err "dpcxr audit: not in this version"
done_with "a command to come"
for command in run check plugins devices new eps sigma account eval predict compare report sweep audit export cache bench; do
    try 0 "$dpcxr" --help; has out "$command"
    [ -z "$problem" ] || break
done
done_with "--help names every command"

try 0 "$dpcxr" plugins; is_empty err; has out accountant
done_with "plugins"
try 0 "$dpcxr" plugins --help; has out "KIND"
done_with "plugins --help"
try 2 "$dpcxr" plugins modle; has err 'did you mean "model"?'
done_with "plugins of an unknown kind"
try 2 "$dpcxr" plugins --jsno; has err "--jsno"
done_with "an unknown option"
try 2 "$dpcxr" plugins model a b; has err '"b"'
done_with "too many arguments"

export DPCXR_PLUGIN_PATH="$build/tests/plugins"
try 0 "$dpcxr" plugins; has out "not usable"; has out "dpcxr-model-wrong_major.so: compiled for plugin ABI 2.2"
done_with "broken plugins are listed and stop nobody"
try 0 "$dpcxr" plugins model good; has out "depth: int in [1, 8], default 2"
done_with "one plugin"
try 2 "$dpcxr" plugins model failing_init; has err "dpcxr-model-failing_init.so: its init failed: the moon is not full"
done_with "one broken plugin"
try 0 "$dpcxr" plugins --json; has out '"kind" : "model"'; has out '"default" : "[a, b]"'
done_with "plugins --json"
unset DPCXR_PLUGIN_PATH

# The command of docs/plugin-guide.md.
try 0 sh -c 'cd "$1" && export PKG_CONFIG_PATH="$2/meson-uninstalled" &&
    "$4" -shared -fPIC -O2 -o dpcxr-accountant-bun_steinke.so "$3/docs/examples/bun_steinke.c" $(pkg-config --cflags --libs dpcxr)' \
    sh "$scratch" "$build" "$source" "$cc"
first=$problem
export DPCXR_PLUGIN_PATH="$scratch"
try 0 "$dpcxr" plugins accountant bun_steinke; has out "File: $scratch/dpcxr-accountant-bun_steinke.so"
problem=$first$problem
unset DPCXR_PLUGIN_PATH
done_with "a plugin built outside the tree"

try 1 sh -c '"$1" plugins >/dev/full' sh "$dpcxr"; has err "standard output"
done_with "output that cannot be written"

# What a run says of limits and mistakes.
cat >"$scratch/small.yaml" <<'YAML'
name: small
data: {type: phantom, labels: [cardiomegaly], patients: 100, size: 32, image: {size: 16}}
train: {steps: 2, batch: {logical: 4}}
privacy: {epsilon: 8, delta: 1e-3}
device: {type: cpu, threads: 1}
YAML
if (ulimit -v 4000000 && "$dpcxr" --version) >"$scratch/out" 2>&1; then
    try 5 sh -c 'ulimit -v 4000000 && "$1" run "$2" --dry-run device.threads=4096' sh "$dpcxr" "$scratch/small.yaml"
    has err "lower device.threads"
    done_with "more threads than the system gives"
else # a sanitizer, which wants all addresses there are
    number=$((number + 1))
    echo "ok $number - more threads than the system gives # SKIP the program does not start in little memory"
fi
try 3 "$dpcxr" run "$scratch/small.yaml" model.init=nowhere.safetensors --out "$scratch/runs"
has err "nowhere.safetensors"
[ ! -e "$scratch/runs" ] || problem="$problem; a run folder was made"
try_first=$problem
try 3 "$dpcxr" run "$scratch/small.yaml" model.init=nowhere.safetensors --dry-run
problem=$try_first$problem
done_with "initial weights that are not there, before anything is written"
try 1 sh -c 'ulimit -f 1000 && "$1" run "$2" name=limited --quiet --out "$3"' sh "$dpcxr" "$scratch/small.yaml" "$scratch/runs"
has err "File too large"
done_with "a file size limit"
try 0 "$dpcxr" run "$scratch/small.yaml" evaluate.splits=[valid] --out "$scratch/runs"
has out "auroc      none: test is not among evaluate.splits"; has out "RESULT auroc=none"
done_with "why there is no AUROC"
try 4 "$dpcxr" run "$scratch/small.yaml" --resume train.steps=3 --out "$scratch/runs"
has err '"steps: 2" then, "steps: 3" now'
done_with "what a resumed run has other than it had"
try 0 "$dpcxr" run "$scratch/small.yaml" --resume evaluate.splits=[valid] "device={type: ref, threads: 2}" --out "$scratch/runs"
has out "device     ref"; has out "nothing is left to do"
done_with "a run that is resumed on another device"
try 3 sh -c 'cd "$1" && "$2" check small.yaml --data "data={type: table, root: nowhere, labels: [a]}"' sh "$scratch" "$build/dpcxr"
has err "nowhere/metadata.csv: cannot be opened"; has err "(looked for from $scratch)"
done_with "a relative folder that is not there"
try 2 "$dpcxr" check "$scratch/small.yaml" privacy.population=0; has err "at most 9007199254740992, got 0"
done_with "limits of whole numbers in full"

# Reports of what is not there, or may not be released.
try 2 "$dpcxr" report; has err "of which run?"
try 2 "$dpcxr" report "$scratch/nowhere"; has err "is not the folder of a run"
try 0 "$dpcxr" run "$scratch/small.yaml" name=open privacy.enabled=false --quiet --out "$scratch/runs"
try 4 "$dpcxr" report --release "$scratch/runs/open"; has err "covered by a guarantee"
done_with "reports that cannot be made"
try 2 "$dpcxr" compare "$scratch/runs/open"; has err "which runs?"
try 2 "$dpcxr" compare "$scratch/runs/open" "$scratch/runs/open" --margin 2; has err "--margin is from 0"
try 2 "$dpcxr" compare "$scratch/runs/open" "$scratch/runs/open" --split train; has err "--split is test or valid"
done_with "comparisons that cannot be made"

# Every type of clipping is timed beside flat, each once; what the times are is no matter.
try 0 "$dpcxr" bench step --size 16 --batch 2 --repeats 1 --clip all --json
for clip in flat per_layer automatic normalise adaptive; do has out "\"clip\" : \"$clip\""; done
has out '"cost_beside_flat" : 1.0'
done_with "bench step --clip all"
try 0 "$dpcxr" bench step --size 16 --batch 2 --repeats 1 --clip per_layer; has out "per_layer clipping: private"
has out "a step takes"
done_with "bench step --clip TYPE"
try 0 "$dpcxr" bench step --size 16 --batch 2 --logical 5 --repeats 1 --threads 1 --json
for key in '"logical" : 5' '"threads" : 1' '"precision" : "fp32"' '"onednn"' '"openblas_sgemm_gflops"' '"phase_b" : {' '"packing"'; do
    has out "$key"
done
done_with "bench step in several batches"
try 0 "$dpcxr" bench step --size 16 --batch 2 --repeats 1 --memory-only; has out "peak memory"
done_with "bench step --memory-only"
try 0 "$dpcxr" bench ops --size 16 --batch 2 --repeats 1 --threads 1 --json
for key in '"name" : "layer4.0.conv2"' '"name" : "fc"' '"shape" : "8x8x64 > 4x4x64, 3x3 / 2"' '"gram_product"' '"gb_per_s"' '"wrong"'; do
    has out "$key"
done
done_with "bench ops"
try 2 "$dpcxr" bench step --batch 4 --logical 3; has err "--logical at least that"
try 2 "$dpcxr" bench step 64; has err '"64" is not expected here'
try 2 "$dpcxr" bench stop; has err "dpcxr bench stop: not in this version; there is: step, ops, loader"
done_with "bench with what it does not take"
try 2 "$dpcxr" bench step --clip flatly; has err 'per_layer, automatic, normalise, adaptive or all (got "flatly")'
done_with "bench step with a clipping that there is not"

# Decoded once, kept on disk.
try 2 "$dpcxr" cache; has err "which experiment"
try 2 "$dpcxr" cache "$scratch/small.yaml"; has err "has no data.cache.dir; where to?"
done_with "cache without a place"
try 0 "$dpcxr" cache "$scratch/small.yaml" "data.cache.dir=$scratch/cache"; is_empty err; has out "images in"; has out "0 were there"
try 0 "$dpcxr" cache "$scratch/small.yaml" "data.cache.dir=$scratch/cache" --json; has out '"built" : 0'; has out '"other_sets" : 0'
try 0 "$dpcxr" cache "$scratch/small.yaml" "data.cache.dir=$scratch/cache" data.image.size=24; has out "1 other set beside it"
done_with "cache"
try 1 "$dpcxr" cache "$scratch/small.yaml" "data.cache.dir=$scratch/small.yaml/x"; has err "data.cache.dir: "; has err "small.yaml/x"
done_with "cache where no folder can be"
try 0 "$dpcxr" run "$scratch/small.yaml" name=cached "data.cache.dir=$scratch/new" privacy.noise.source=seeded --out "$scratch/runs"
try 0 "$dpcxr" run "$scratch/small.yaml" name=decoded privacy.noise.source=seeded --out "$scratch/runs"
cmp -s "$scratch/runs/cached/private/model.safetensors" "$scratch/runs/decoded/private/model.safetensors" || problem="$problem; other weights with a cache"
ls "$scratch"/new/*/*.shard >/dev/null 2>&1 || problem="$problem; the run made no cache"
done_with "a run makes its cache, and has the weights of one without"
try 0 "$dpcxr" bench loader "$scratch/small.yaml" --epochs 1 --workers 1; has out "from shards"
try 0 "$dpcxr" bench loader "$scratch/small.yaml" --epochs 1 --json; has out '"decoded_whole_images_per_s"'
try 2 "$dpcxr" bench loader; has err "of which experiment"
done_with "bench loader"

# Found beside the program, from anywhere, also through the link.
try 0 sh -c 'cd / && "$1" plugins --json' sh "$build/dpcxr"; is_empty err
done_with "from another folder"
try 2 "$build/dpcxr-run" --no-such-option; has err "dpcxr run"
done_with "dpcxr-run is dpcxr run"

echo "1..$number"
exit $failed
