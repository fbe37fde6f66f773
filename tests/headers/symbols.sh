#!/bin/sh
# SPDX-License-Identifier: MIT
# symbols.sh CC SOURCE LIBRARY FOLDER...: three things that must not drift apart, as TAP: the functions that include/dpcxr
# declares, those that core/libdpcxr.map exports as the plugin ABI, and those that the library has under that version;
# and that a plugin binds to nothing else of it.
set -eu
export LC_ALL=C

cc=$1 source=$2 library=$3
shift 3 # what is left are folders with plugins
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

failed=0
number=0
# Succeeds where the file $2 is empty; else its lines say what is wrong.
check_empty() {
    number=$((number + 1))
    if [ -s "$2" ]; then
        echo "not ok $number - $1"
        sed 's/^/# /' "$2"
        failed=1
    else
        echo "ok $number - $1"
    fi
}

# Comments are gone after the preprocessor, macros are written out.
echo '#include <dpcxr/dpcxr.h>' |
    "$cc" -E -P $(pkg-config --cflags glib-2.0) -I"$source/include" - |
    grep -oE '\bdpcxr_[a-z0-9_]+ *\(' | tr -d ' (' | sort -u >"$scratch/declared"
# The block between "DPCXR_1 {" and its "}", one symbol a line.
sed -n '/^DPCXR_1 {/,/^}/s/^ *\(dpcxr_[a-z0-9_]*\);.*/\1/p' "$source/core/libdpcxr.map" | sort >"$scratch/mapped"
nm -D --defined-only --with-symbol-versions "$library" |
    sed -n 's/.* \(dpcxr_[a-z0-9_]*\)@@DPCXR_1$/\1/p' | sort >"$scratch/exported"
# What plugins take from the library and is not of DPCXR_1 (or is nowhere).
for plugin in $(find "$@" -maxdepth 1 -name '*.so'); do
    nm -D --undefined-only --with-symbol-versions "$plugin" |
        grep -E ' dpcxr_' | grep -vE '@DPCXR_1$' | sed "s,^,${plugin##*/}:," || true
done >"$scratch/strangers"
ls "$source/include/dpcxr" | sed 's/.*/#include <dpcxr\/&>/' | grep -v '<dpcxr/dpcxr.h>' >"$scratch/headers"
grep '^#include <dpcxr/' "$source/include/dpcxr/dpcxr.h" | sort >"$scratch/included"

echo 1..5
[ -s "$scratch/declared" ] || echo "nothing was found in include/dpcxr" >"$scratch/strangers"
comm -23 "$scratch/declared" "$scratch/mapped" >"$scratch/not-mapped"
check_empty "every function of include/dpcxr is in libdpcxr.map" "$scratch/not-mapped"
comm -13 "$scratch/declared" "$scratch/mapped" >"$scratch/not-declared"
check_empty "libdpcxr.map has no function that is not in include/dpcxr" "$scratch/not-declared"
comm -23 "$scratch/mapped" "$scratch/exported" >"$scratch/not-exported"
check_empty "libdpcxr.so exports them all" "$scratch/not-exported"
check_empty "plugins bind to the plugin ABI only" "$scratch/strangers"
sort "$scratch/headers" | comm -3 - "$scratch/included" >"$scratch/not-included"
check_empty "dpcxr.h includes every header" "$scratch/not-included"
exit $failed
