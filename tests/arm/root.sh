#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Unpacks Debian's Python 3.11 for arm64, with its headers, and prints the path. Needs no root rights and
# leaves the machine's own apt state alone.
set -euo pipefail
cache=${XDG_CACHE_HOME:-$HOME/.cache}/bitpose
root=$cache/root-arm64
packages=(python3.11 libpython3.11-dev libstdc++6)
if [[ -e $root/.packages && $(<"$root/.packages") == "${packages[*]}" ]]; then
  echo "$root"
  exit
fi

# An empty package database makes apt resolve the whole closure for the foreign architecture.
state=$(mktemp -d)
trap 'rm -rf "$state"' EXIT
mkdir -p "$state"/lists/partial "$state"/archives/partial "$cache"
: >"$state/status"
apt=(apt-get -qq -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o Dir::State="$state"
  -o Dir::State::status="$state/status" -o Dir::State::lists="$state/lists" -o Dir::Cache="$state"
  -o Dir::Cache::archives="$state/archives" -o Debug::NoLocking=1 -o APT::Sandbox::User=root
  -o Acquire::Languages=none -o APT::Install-Recommends=0)
"${apt[@]}" update >&2
"${apt[@]}" install -y --download-only "${packages[@]}" >&2

new=$(mktemp -d "$cache/root-arm64.XXXXXX")
mkdir -p "$new"/usr/{lib,bin,sbin}
for name in lib bin sbin; do ln -s "usr/$name" "$new/$name"; done
for archive in "$state"/archives/*.deb; do
  dpkg-deb --fsys-tarfile "$archive" |
    tar -x --keep-directory-symlink --no-same-owner -C "$new"
done
echo "${packages[*]}" >"$new/.packages"
rm -rf "$root"
mv "$new" "$root"
echo "$root"
