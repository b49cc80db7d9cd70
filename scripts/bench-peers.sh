#!/usr/bin/env bash
# Install what `make bench-compile` compares with into .bench/. Without npm, or where it cannot, that is left out.
set -euo pipefail
cd "$(dirname "$0")/.."

[ -x .bench/node_modules/.bin/hostlist-compiler ] && exit 0
if ! command -v npm >/dev/null; then
  echo "there is no npm: hostlist-compiler is left out" >&2
  exit 0
fi
mkdir -p .bench
# diff-builder 1.1.4, which hostlist-compiler's downloader asks for, is not to be had everywhere; nothing is downloaded.
cat >.bench/package.json <<'EOF'
{
  "private": true,
  "dependencies": { "@adguard/hostlist-compiler": "2.1.1" },
  "overrides": { "@adguard/diff-builder": "1.1.7" }
}
EOF
log=.bench/npm.log
if ! npm install --prefix .bench --no-package-lock --ignore-scripts --no-audit --no-fund >"$log" 2>&1; then
  echo "npm could not install hostlist-compiler, which is left out; see $log" >&2
fi
