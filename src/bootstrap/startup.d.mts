/** Flags of Node for the console's memory. */
export declare const HEAP: readonly string[];
/** What the console's environment has for the same purpose. */
export declare const ARENAS: Readonly<Record<"MALLOC_ARENA_MAX", string>>;
/** Where V8 keeps the program's compiled code, unless whoever starts us has said so. */
export declare function compiledIn(folder: string): Readonly<Record<"NODE_COMPILE_CACHE", string>>;
