/**
 * Milliseconds that a test waits for anything before it gives up. What a quiet machine does in a second takes half a minute on one to which
 * a fresh page of memory costs a hundred times as much, as it can to a virtual machine within another. Only what fails waits so long.
 */
export const PATIENCE = 240_000;
