#!/usr/bin/env bash
# Install the servers and programs that the tests start in private, from Debian's or Ubuntu's archive, when this user may.
#
# Installing must not start a daemon on port 53: a temporary policy-rc.d forbids it, and the new services are disabled,
# so that none starts at the next boot. Services that were there before are not touched.
# Says what it could not install and exits 0: tests that need it are then skipped, and fail where CI=true.
set -uo pipefail
PATH=$PATH:/usr/sbin:/sbin
export DEBIAN_FRONTEND=noninteractive

policy=/usr/sbin/policy-rc.d
saved=/usr/sbin/policy-rc.d.aidns-saved
marker="written by aidns, removed when its installation ends"

needed() { # one line a program, or a file: program, package
  cat <<'EOF'
unbound unbound
unbound-checkconf unbound
named bind9
named-checkzone bind9-utils
dnsmasq dnsmasq-base
pdns_recursor pdns-recursor
kresd knot-resolver
/usr/share/lua/5.1/cqueues.lua lua-cqueues
dnsdist dnsdist
cdb tinycdb
nsd nsd
squid squid
node nodejs
npm npm
EOF
}

missing_packages() {
  needed | while read -r program package; do
    command -v "$program" >/dev/null || [ -e "$program" ] || echo "$package"
  done | sort -u
}

units_of() {
  case $1 in
    unbound) echo unbound unbound-resolvconf ;;
    bind9) echo named ;;
    pdns-recursor) echo pdns-recursor ;;
    knot-resolver) echo kresd.target kres-cache-gc ;;
    dnsdist) echo dnsdist ;;
    squid) echo squid ;;
    nsd) echo nsd ;;
  esac
}

restore_policy() {
  if [ -e "$policy" ] && grep -q "$marker" "$policy"; then rm -f "$policy"; fi
  if [ -e "$saved" ] || [ -L "$saved" ]; then mv -f "$saved" "$policy"; fi
}

forbid_starting() {
  restore_policy # a run that was killed may have left its own behind
  trap restore_policy EXIT
  trap 'exit 130' INT TERM HUP
  if [ -e "$policy" ] || [ -L "$policy" ]; then mv "$policy" "$saved" || return; fi
  printf '#!/bin/sh\n# %s\nexit 101\n' "$marker" >"$policy" && chmod 755 "$policy"
}

apt_install() {
  apt-get install -y -q --no-install-recommends -o DPkg::Lock::Timeout=120 -o Dpkg::Options::=--force-confold "$@"
}

install() { # packages...; all at once, after fresh package lists, or one by one: as many as there are
  apt_install "$@" >"$log" 2>&1 && return
  apt-get update -q >"$log" 2>&1
  apt_install "$@" >>"$log" 2>&1 && return
  local package
  for package in "$@"; do apt_install "$package" >>"$log" 2>&1; done
}

disable() { # packages...
  local package unit
  for package in "$@"; do
    for unit in $(units_of "$package"); do
      if command -v systemctl >/dev/null; then
        systemctl disable --quiet "$unit" >/dev/null 2>&1
      elif [ -e "/etc/init.d/$unit" ]; then
        update-rc.d "$unit" disable >/dev/null 2>&1
      fi
    done
  done
}

installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

not_installed() { # why
  local packages
  packages=$(missing_packages | tr '\n' ' ')
  echo "warning: not installed: ${packages% } ($1)" >&2
  echo "tip: tests that need them are skipped; with CI=true they fail" >&2
}

read -r -a packages <<<"$(missing_packages | tr '\n' ' ')"
[ "${#packages[@]}" -gt 0 ] || exit 0

if ! command -v apt-get >/dev/null; then
  not_installed "no apt-get here: install them your system's way"
  exit 0
fi
if [ "$(id -u)" -ne 0 ]; then
  if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then exec sudo -n "$0"; fi
  not_installed "neither root nor passwordless sudo: apt-get install them yourself, or run scripts/install-servers.sh as root"
  exit 0
fi

log=$(mktemp)
new=()
for package in "${packages[@]}"; do installed "$package" || new+=("$package"); done
echo "installing the servers that the tests start: ${packages[*]}" >&2
if ! forbid_starting; then
  not_installed "$policy cannot be written, so their daemons might start"
  exit 0
fi
install "${packages[@]}"
disable ${new[@]+"${new[@]}"}
if [ -n "$(missing_packages)" ]; then
  grep -E '^(E|W|dpkg):' "$log" | tail -n 10 >&2
  not_installed "apt-get says why above"
fi
rm -f "$log"
