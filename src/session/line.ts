// C1 controls, DEL, bidi and other format characters, separators: JSON lets them through raw, and a terminal that is shown the log
// would obey some of them. Written as \\u escapes they are the same JSON string.
const RAW = /[\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;

/** A value as JSON that is safe to look at: no character in it can steer or reorder a terminal, and nothing of it is lost. */
export const toLine = (value: unknown, indent?: number): string =>
  JSON.stringify(value, undefined, indent).replace(RAW, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
