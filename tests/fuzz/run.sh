#!/usr/bin/env bash
# Builds the libFuzzer targets and runs them side by side. Usage: tests/fuzz/run.sh [seconds | short | runs N], 20 seconds by
# default; a soak is the same with more, or `runs 25000000` of each target, one after the other. `short` does the same
# inputs every time, as a test must.
# What is found is kept in build/asan/found; run `build/asan/tests/fuzz/TARGET FILE` to see it again.
# With QUANTMAP_FUZZ=soak the build is without sanitizers, with the library's assertions, and some ten times as fast;
# QUANTMAP_FUZZ_TARGETS names targets, QUANTMAP_FUZZ_LONGEST the most bytes of an input.
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=${1:-20}
runs=${2:-25000000}
preset=${QUANTMAP_FUZZ:-asan}
build=build/$preset
cmake --preset "$preset" >/dev/null
cmake --build --preset "$preset" --target fuzz_text fuzz_json fuzz_checkpoint fuzz_script fuzz_quantize
mkdir -p "$build/found"
rm -rf "$build/seeds"
python3 tests/fuzz/seeds.py tests/golden "$build/seeds/fuzz_json" "$build/words.dict"
cp -r "$build/seeds/fuzz_json" "$build/seeds/fuzz_text"
python3 tests/fuzz/checkpoint_seeds.py "$build/seeds/fuzz_checkpoint"
python3 tests/fuzz/script_seeds.py "$build/seeds/fuzz_script"
mkdir -p "$build/seeds/fuzz_quantize"  # any bytes are a matrix
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
fuzz() {  # target, runs of a short pass
  extent=(-max_total_time="$seconds")
  corpus=("$build/corpus/$1")
  mkdir -p "${corpus[@]}"
  if [ "$seconds" = short ]; then
    extent=(-runs="$2" -seed=1)
    corpus=()
  elif [ "$seconds" = runs ]; then
    extent=(-runs="$runs")
  fi
  "$build/tests/fuzz/$1" "${corpus[@]}" "$build/seeds/$1" -dict="$build/words.dict" "${extent[@]}" -max_len="${QUANTMAP_FUZZ_LONGEST:-4096}" \
    -timeout=10 -rss_limit_mb=2048 -artifact_prefix="$build/found/" -print_final_stats=1 -verbosity=0
}
if [ -n "${QUANTMAP_FUZZ_TARGETS:-}" ]; then
  for target in $QUANTMAP_FUZZ_TARGETS; do fuzz "$target" 10000; done
  exit 0
fi
(fuzz fuzz_checkpoint 8000 && fuzz fuzz_json 15000) >"$build/fuzz_beside.log" 2>&1 &
beside=$!
status=0
fuzz fuzz_text 30000 || status=$?
fuzz fuzz_script 15000 || status=$?
fuzz fuzz_quantize 4000 || status=$?
wait $beside || status=$?
cat "$build/fuzz_beside.log"
exit $status
