#!/usr/bin/env bash
# All measurements and tests of a GPU, on a machine that has its driver and little else:
#
#   OUT=results bash bench/card.sh APP [PART...]
#
# APP is a folder of bundles: one .mjs file each, which includes its imports except the package `webgpu`, which must be
# importable from there. After `npm run build`, any bundler can create them from
#   dist/bench/{doctor,step,compare,tiles,card-tests}.js and the test files to run, such as dist/test/ops/*.test.js.
# APP is two folders below the folder that contains bench/, like dist/bench: bench/works.json and bench/peers are read
# from there. `node` must be on the PATH, and Vulkan must find the GPU (set VK_DRIVER_FILES if it does not). The runs of
# PyTorch need PyTorch with CUDA; without it they fail, and are reported as failed.
#
# PART: doctor, tests, G1, G2, G3, breakdown; all of these if none is given; and tiles. Files are written to $OUT:
# doctor.json, tiles.txt, NAME.tap, G1.json …, breakdown-G1-float32.json …. Begin with doctor: the first process that opens a
# device measures its tiles and stores the result, and the driver stores its compiled shaders (G1 the first time: 14 s on an
# H200). Each part has an equal share of the time that is left when it begins. A call with only one comparison therefore
# has more rounds of it: for medians, make a separate call for each. A process that exceeds its share has failed. The exit
# code is 1 if anything failed; the other parts still run.
#
#   MINUTES    limit of the whole call (9)
#   ROUNDS     of a comparison, at most (3)
#   STEPS      measurements of each run, of ten steps each (3)
#   PYTHON     a Python with PyTorch (python3)
#   PEAK       TFLOP/s of the GPU without sparsity, from its data sheet: float32=67,float16=989,bfloat16=989
#   BANDWIDTH  GB/s of its memory, likewise
#   BATCH      for all works, to try the script without a GPU, with TORCH_DEVICE=cpu
set -uo pipefail
[ $# -ge 1 ] || { echo 'usage: [OUT=DIR] bash bench/card.sh APP [doctor|tiles|tests|G1|G2|G3|breakdown ...]' >&2; exit 2; }
app=$1; shift
[ -e "$app/step.mjs" ] || { echo "$app has no step.mjs; see the head of this script" >&2; exit 2; }
parts=("$@"); [ $# -ge 1 ] || parts=(doctor tests G1 G2 G3 breakdown)
out=${OUT:-card}; mkdir -p "$out"
end=$((SECONDS + 60 * ${MINUTES:-9}))
failed=0

# The limit of a part in seconds: the time left, divided among it and the parts after it.
share() { local left=$((end - SECONDS)); echo $((left > 0 ? left / $1 : 1)); }
run() { echo "== $*" >&2; "$@" || { echo "-- failed: $*" >&2; failed=1; }; }
common=(--device webgpu ${BATCH:+--batch "$BATCH"})

race() { # NAME WORKS SECONDS
  run node "$app/compare.mjs" "${common[@]}" --torch-device "${TORCH_DEVICE:-cuda}" --works "$2" --precision all \
    --rounds "${ROUNDS:-3}" --steps "${STEPS:-3}" --minutes "$(awk "BEGIN { print $3 / 60 }")" --python "${PYTHON:-python3}" \
    ${PEAK:+--peak "$PEAK"} --out "$out/$1.json"
}

# One work in one precision, within SECONDS.
breakdown() { # WORK PRECISION SECONDS
  local peak; peak=$(tr , '\n' <<< "${PEAK:-}" | sed -n "s/^$2=//p")
  echo "== breakdown of $1 in $2" >&2
  timeout "$3" node "$app/step.mjs" "${common[@]}" --work "$1" --precision "$2" --steps 2 --breakdown --sizes --json \
    ${peak:+--peak "$peak"} ${BANDWIDTH:+--bandwidth "$BANDWIDTH"} > "$out/breakdown-$1-$2.json" \
    || { echo "-- failed: breakdown of $1 in $2" >&2; failed=1; }
}

for i in "${!parts[@]}"; do
  seconds=$(share $((${#parts[@]} - i)))
  case ${parts[i]} in
    doctor)
      command -v nvidia-smi > /dev/null && run nvidia-smi
      echo '== doctor' >&2
      timeout "$seconds" node "$app/doctor.mjs" --json > "$out/doctor.json" || failed=1
      cat "$out/doctor.json" ;;
    tiles)
      echo '== tiles' >&2
      timeout "$seconds" node "$app/tiles.mjs" > "$out/tiles.txt" || failed=1
      cat "$out/tiles.txt" ;;
    tests)
      for file in "$app"/*.test.mjs; do
        name=$(basename "$file" .test.mjs)
        echo "== tests of $name" >&2
        VITMIM_REQUIRE_DEVICES=webgpu timeout "$seconds" node --test-reporter=tap "$app/card-tests.mjs" "$file" > "$out/$name.tap" \
          || { failed=1; grep -A 12 '^ *not ok' "$out/$name.tap" | head -60; }
        grep -E '^# (tests|pass|fail) ' "$out/$name.tap"
      done ;;
    G1) race G1 G1 "$seconds" ;;
    G2) race G2 G2 "$seconds" ;;
    G3) race G3 G3P,G3F "$seconds" ;;
    breakdown)
      precisions=$(node "$app/compare.mjs" --precisions --device webgpu) || failed=1
      works=(G1 G2 G3P G3F); left=$((${#works[@]} * $(wc -w <<< "$precisions")))
      for work in "${works[@]}"; do
        for precision in $precisions; do
          breakdown "$work" "$precision" "$(share $((left + ${#parts[@]} - i - 1)))"
          left=$((left - 1))
        done
      done ;;
    *) echo "unknown part ${parts[i]}" >&2; failed=1 ;;
  esac
done
exit $failed
