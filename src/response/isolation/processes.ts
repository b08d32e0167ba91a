/** The mark in the watch's argv: a console that releases finds it by that, and ends it first. */
export const watchMark = (nonce: string): string => `stakeout-watch-${nonce}`;

/** The same for the process that undoes an isolation when its console vanishes. */
export const leaseMark = (nonce: string): string => `stakeout-lease-${nonce}`;

export const REPLACED = "USR1";

/**
 * Script that ends the watches of the isolation `nonce`, or every watch of the host; by {@link REPLACED} its console is told that the isolation
 * was replaced and not released. One that is just putting something back finishes that
 * first: it must have ended before anything is taken away. Holds no single quote.
 */
export const endWatches = (
  nonce = "",
  signal = "TERM",
): string => `watches() { grep -lse "stakeout-watch[-]${nonce}" /proc/[0-9]*/cmdline | cut -d/ -f3; }
for p in $(watches); do kill -${signal} "$p"; done
i=0; while [ -n "$(watches)" ] && [ $i -lt 60 ]; do sleep 0.05 2>/dev/null || sleep 1; i=$((i+1)); done
for p in $(watches); do kill -KILL "$p"; done`;

/** Ends what would undo an isolation when its console vanishes: it is being undone, or replaced. Holds no single quote. */
export const endLeases = `for p in $(grep -lse "stakeout-lease[-]" /proc/[0-9]*/cmdline); do p=\${p#/proc/}; kill -9 "\${p%/cmdline}"; done 2>/dev/null`;
