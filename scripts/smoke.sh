#!/usr/bin/env bash
# Build the wheel, install it into a bare environment outside the checkout, and run the main job from an empty directory.
# What only works in a checkout or with development tools installed fails here.
set -euo pipefail
cd "$(dirname "$0")/.."

python=${VENV:-.venv}/bin/python
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
mkdir "$tmp/empty" "$tmp/home"

quietly() {
  if ! "$@" >"$tmp/log" 2>&1; then
    cat "$tmp/log" >&2
    echo "error: smoke: failed: $*" >&2
    exit 1
  fi
}
expect() { # the exit code, the command
  local code=0
  "${@:2}" >"$tmp/log" 2>&1 || code=$?
  if [ "$code" -ne "$1" ]; then
    cat "$tmp/log" >&2
    echo "error: smoke: exit code $code instead of $1: ${*:2}" >&2
    exit 1
  fi
}

now=$(date +%s)
quietly "$python" -m build --wheel --outdir "$tmp/wheel" .
quietly env SOURCE_DATE_EPOCH="$now" XDG_STATE_HOME="$tmp/home" "${python%/*}/aidns" build --out "$tmp/checkout"
quietly "$python" -m venv "$tmp/venv"
quietly "$tmp/venv/bin/python" -m pip install --quiet --disable-pip-version-check "$tmp"/wheel/*.whl

aidns() {
  env -i PATH=/usr/bin:/bin HOME="$tmp/home" LANG=C.UTF-8 SOURCE_DATE_EPOCH="$now" "$tmp/venv/bin/aidns" "$@"
}

cd "$tmp/empty"
aidns --version
aidns lint
for command in lint list show explain check render build diff verify; do expect 0 aidns "$command" --help; done
expect 0 aidns explain chat.deepseek.com
# Nothing listens on port 9: what matters is that asking needs nothing that is not installed.
expect 4 aidns check --resolver 127.0.0.1:9 --timeout 0.1 --state "$tmp/state" deepseek.com
expect 4 aidns verify 127.0.0.1:9 --policy deepseek-org
aidns --quiet build --out "$tmp/dist" >/dev/null
for file in deepseek-org/{pihole.txt,pihole-allow.txt,unbound.conf,rpz.zone,rpz-allow.zone,hosts.txt} manifest.json status.json; do
  if [ ! -s "$tmp/dist/$file" ]; then
    echo "error: smoke: $file is missing or empty" >&2
    exit 1
  fi
done
cd "$tmp/dist"
sha256sum --check --quiet SHA256SUMS
if ! cmp "$tmp/checkout/SHA256SUMS" SHA256SUMS; then
  echo "error: smoke: the installed program and the checkout build different lists" >&2
  exit 1
fi
if [ -n "$(ls -A "$tmp/empty")" ]; then
  echo "error: smoke: files were left in the working directory: $(ls -A "$tmp/empty")" >&2
  exit 1
fi
echo "smoke: $(wc -l <SHA256SUMS) files from the installed wheel, equal to the checkout's"
