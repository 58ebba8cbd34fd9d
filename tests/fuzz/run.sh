#!/usr/bin/env bash
# Builds fuzz_json and runs it. Usage: tests/fuzz/run.sh [seconds], 20 by default; a soak is the same with more.
# `tests/fuzz/run.sh short` does the same inputs every time, as a test must.
# What is found is kept in build/fuzz/found; run `build/fuzz/tests/fuzz/fuzz_json FILE` to see it again.
set -euo pipefail
cd "$(dirname "$0")/../.."
extent=(-max_total_time="${1:-20}")
[ "${1:-}" != short ] || extent=(-runs=15000 -seed=1)
build=build/fuzz
cmake --preset fuzz >/dev/null
cmake --build --preset fuzz
mkdir -p "$build/found" "$build/corpus"
corpus=("$build/corpus")
[ "${1:-}" != short ] || corpus=()
rm -rf "$build/seeds"
python3 tests/fuzz/seeds.py tests/golden "$build/seeds" "$build/words.dict"
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
exec "$build/tests/fuzz/fuzz_json" "${corpus[@]}" "$build/seeds" -dict="$build/words.dict" \
  "${extent[@]}" -max_len=4096 -timeout=10 -rss_limit_mb=2048 -artifact_prefix="$build/found/" \
  -print_final_stats=1 -verbosity=0
