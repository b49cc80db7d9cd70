#!/usr/bin/env bash
# Install AdGuard's own DNS engine and compiler of lists from npm into .lab/, for tests alone: their licence keeps them
# out of what is shipped.
#
# Costs nothing when that is done. Says why it could not and exits 0: tests that need it are then skipped, and fail
# where CI=true.
set -uo pipefail
cd "$(dirname "$0")/.." || exit

wanted=tests/consumers/adguard
place=.lab/adguard
stamp=$place/.installed

if cmp -s "$wanted/package-lock.json" "$stamp"; then exit 0; fi
if ! command -v npm >/dev/null || ! command -v node >/dev/null; then
  echo "warning: AdGuard's engine is not installed (node and npm are not there)" >&2
  exit 0
fi
echo "installing AdGuard's engine, for tests, into $place" >&2
rm -rf "$place"
mkdir -p "$place"
cp "$wanted/package.json" "$wanted/package-lock.json" "$place"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
for _ in 1 2 3; do
  if (cd "$place" && npm ci --ignore-scripts --no-audit --no-fund --fetch-timeout=60000) >"$log" 2>&1; then
    cp "$wanted/package-lock.json" "$stamp"
    exit 0
  fi
done
tail -n 5 "$log" >&2
echo "warning: AdGuard's engine is not installed (npm says why above)" >&2
