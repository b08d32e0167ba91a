import { Malformed, text, whole } from "./wire.ts";

/** The fields of one record, its kind first, one character a byte; and words that the readers of all records share. */
export type Fields = readonly string[];
/** `fields`: how many there are, the kind included; `least`: without those at the end that not every collector can tell. */
export type Records<T> = Record<string, { fields: number; least?: number; read(f: Fields): T }>;

/** @throws Malformed where it is missing */
export function field(f: Fields, i: number): string {
  const value = f[i];
  if (value === undefined) throw new Malformed("a field is missing");
  return value;
}
/** An empty field is a fact that nobody told. */
export function given<T>(value: string, read: (value: string) => T): T | undefined {
  return value === "" ? undefined : read(value);
}
/** The object without its undefined fields: an absent fact is left out, never present and empty. */
export function compact<T extends object>(value: { [K in keyof T]: T[K] | undefined }): T {
  for (const key of Object.keys(value) as (keyof T)[]) if (value[key] === undefined) delete value[key];
  return value as T;
}
/** A whole number from 0 on. @throws Malformed */
export function amount(value: string | undefined): number {
  const found = whole(value);
  if (found < 0) throw new Malformed("not an amount");
  return found;
}
/** @throws Malformed on any other word */
export function oneOf<const T extends string>(value: string, allowed: readonly T[]): T {
  const found = allowed.find((candidate) => candidate === value);
  if (found === undefined) throw new Malformed("not a word we know");
  return found;
}
/** Bytes in hexadecimal. @throws Malformed */
export function blob(value: string): Buffer {
  if (value.length > 32_768 || !/^(?:[0-9a-f]{2})+$/.test(value)) throw new Malformed("not bytes in hexadecimal");
  return Buffer.from(value, "hex");
}
/** Texts that are parted by 0x1f. */
export const list = (value: string) => (value === "" ? [] : value.split("\x1f").map(text));
/** Identifiers that the kernel writes in plain ASCII; they become keys, so nothing else may stand in them. @throws Malformed */
export function ascii(value: string): string {
  if (!/^[\w.-]*$/.test(value)) throw new Malformed("not an identifier");
  return value;
}
