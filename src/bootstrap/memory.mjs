// A small young generation (V8's may grow to 128 MB) and an old one that grows by steps: most of what an event leaves is garbage at
// once, and collecting it sooner costs no time that can be measured.
export const HEAP = ["--max-semi-space-size=8", "--heap-growing-percent=40"];
// glibc gives each thread an arena of its own (mallopt(3)): what compiler and collector threads once took stays there, 40 MB of it.
export const ARENAS = { MALLOC_ARENA_MAX: process.env.MALLOC_ARENA_MAX ?? "2" };
