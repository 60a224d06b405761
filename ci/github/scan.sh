#!/usr/bin/env bash
# The action's second step. What a run scans is decided by `sidsweep scan --ci`.
set -uo pipefail

sarif="$RUNNER_TEMP/sidsweep.sarif"
arguments=(scan "$ROOT" --format github --report "sarif=$sarif" --fail-on "$FAIL_ON")
case "$RANGE" in
  '')
    arguments+=(--ci)
    # What a forced push replaced is in no branch any more, so a clone does not bring it. Without it, all of history is scanned.
    if [[ "$BEFORE" == *[1-9a-f]* ]] && ! git -C "$ROOT" cat-file -e "$BEFORE^{commit}" 2>/dev/null &&
      [ "$(git -C "$ROOT" rev-parse --is-shallow-repository)" = false ]; then
      git -C "$ROOT" fetch --quiet --no-tags origin "$BEFORE" 2>/dev/null ||
        echo "The commit before this push, $BEFORE, could not be fetched."
    fi
    ;;
  history) arguments+=(--history) ;;
  none) ;;
  *) arguments+=(--range "$RANGE") ;;
esac
if [ "$VERIFY" = true ]; then
  arguments+=(--verify)
fi
sidsweep "${arguments[@]}"
code=$?
# A scan that did not take place writes none.
if [ -f "$sarif" ]; then
  echo "sarif-file=$sarif" >> "$GITHUB_OUTPUT"
fi
exit "$code"
