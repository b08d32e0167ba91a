// A small young generation (V8's may grow to 128 MB) and an old one that grows by steps: most of what an event leaves is garbage at
// once, and collecting it sooner costs no time that can be measured. What V8 keeps of it all the same is asked back (src/cli/memory.ts).
export const HEAP = ["--max-semi-space-size=8", "--heap-growing-percent=40", "--expose-gc"];
// glibc gives each thread an arena of its own (mallopt(3)): what compiler and collector threads once took stays there, 40 MB of it.
export const ARENAS = { MALLOC_ARENA_MAX: process.env.MALLOC_ARENA_MAX ?? "2" };

// V8's compiled code of the program, kept from one start to the next (node:module, module.enableCompileCache): a third of the time to the
// first picture. Whoever has a folder of his own for that, or wants none (NODE_DISABLE_COMPILE_CACHE), keeps it.
export const compiledIn = (folder) => ({ NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? folder });
