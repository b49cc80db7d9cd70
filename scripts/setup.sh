#!/usr/bin/env bash
# Make the virtual environment and install aidns into it, with what its tests need. Costs nothing when that is done.
#   PYTHON  the interpreter to use (default: the first Python 3.11 or newer that is found)
#   VENV    where the environment lies (default: .venv)
set -euo pipefail
cd "$(dirname "$0")/.."

venv=${VENV:-.venv}
stamp=$venv/.installed
# A moved checkout or a changed pyproject.toml asks for another installation.
wanted="$PWD $(cksum <pyproject.toml)"

if [ -x "$venv/bin/aidns" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && "$venv/bin/python" -c ''; then
  exit 0
fi

new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

find_python() {
  local candidate
  for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11 python}; do
    if new_enough "$candidate"; then
      command -v "$candidate"
      return
    fi
  done
  echo "error: aidns needs Python 3.11 or newer; ${PYTHON:-python3} is $("${PYTHON:-python3}" -V 2>&1 | tail -n 1)" >&2
  echo "tip: install one, or name it: make setup PYTHON=/path/to/python3.12" >&2
  return 1
}

if ! new_enough "$venv/bin/python"; then
  python=$(find_python)
  echo "making $venv with $("$python" -V)" >&2
  if [ -e "$venv/pyvenv.cfg" ]; then rm -rf "$venv"; fi
  if ! "$python" -m venv "$venv" >&2; then
    rm -rf "$venv"
    echo "tip: Debian and Ubuntu keep venv in a package of its own: apt-get install python3-venv" >&2
    exit 1
  fi
fi

echo "installing aidns and its tools into $venv" >&2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# The launcher that pip of before 2025 writes imports `re`, which doubles the time of `aidns --version`.
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --upgrade pip >"$log" 2>&1 || true
if ! "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --editable '.[dev]' >"$log" 2>&1; then
  tail -n 20 "$log" >&2
  echo "error: pip could not install aidns. Is a package index within reach?" >&2
  exit 1
fi
printf '%s\n' "$wanted" >"$stamp"
