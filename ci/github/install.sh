#!/usr/bin/env bash
# The action's first step: fetches a release's program, unless the cache had it, and checks it.
set -euo pipefail

case "$SYSTEM" in
  Linux-X64) target=x86_64-unknown-linux-musl ;;
  Linux-ARM64) target=aarch64-unknown-linux-musl ;;
  macOS-ARM64) target=aarch64-apple-darwin ;;
  macOS-X64) target=x86_64-apple-darwin ;;
  Windows-X64) target=x86_64-pc-windows-msvc ;;
  *)
    echo "::error::sidsweep has no program for $SYSTEM"
    exit 2
    ;;
esac
base="${DOWNLOADS:-https://github.com/sidsweep/sidsweep/releases/download}/$VERSION"
archive="sidsweep-$VERSION-$target.tar.gz"
mkdir -p "$FOLDER/bin"
cd "$FOLDER"

fetch() {
  curl --fail --silent --show-error --location --retry 3 --output "$1" "$base/$1"
}
[ -f "$archive" ] || fetch "$archive"
# A cache is checked like a download.
if [ -z "$SHA256" ]; then
  fetch "$archive.sha256"
  SHA256="$(cut -d ' ' -f 1 "$archive.sha256")"
fi
sum() {
  if command -v sha256sum >/dev/null; then sha256sum "$1"; else shasum -a 256 "$1"; fi
}
if [ "$(sum "$archive" | cut -d ' ' -f 1)" != "$SHA256" ]; then
  rm -f "$archive"
  echo "::error::$archive is not what its checksum $SHA256 says; it was not run"
  exit 2
fi
tar -xzf "$archive" -C bin
echo "$FOLDER/bin" >> "$GITHUB_PATH"
