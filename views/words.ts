import type { Endpoint } from "#model/event";
import type { LoginState } from "#state/state";
import type { Millis } from "#state/time";

/** Elapsed time in at most four columns: 7s, 42m, 5h, 12d. */
export function age(from: Millis, now: Millis): string {
  const seconds = Math.max(0, Math.floor((now - from) / 1000));
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)}h`;
  return seconds < 86_400_000 ? `${Math.floor(seconds / 86_400)}d` : "old";
}

/** A length of time in words: 1 s, 32 s, 4 min, 2 h. */
export function stretch(ms: Millis): string {
  if (ms < 120_000) return `${Math.round(ms / 1000)} s`;
  return ms < 7_200_000 ? `${Math.round(ms / 60_000)} min` : `${Math.round(ms / 3_600_000)} h`;
}

/** Time of day in UTC: two people in two places must read the same digits. */
export const clock = (at: Millis) => (Number.isFinite(at) && Math.abs(at) < 8e15 ? new Date(at).toISOString().slice(11, 19) : "--:--:--");

/** Month, day and time in UTC: what was before has days. */
export const day = (at: Millis): string => (at > 0 && at < 8e15 ? new Date(at).toISOString().slice(5, 16).replace("T", " ") : "no time");

export const count = (n: number) => n.toLocaleString("en-US");
export const plural = (n: number, one: string, many = `${one}s`) => `${count(n)} ${n === 1 ? one : many}`;

/** Bytes as 912 B, 8.9 KB, 14 MB. */
export function bytes(n: number | undefined): string {
  if (n === undefined) return "?";
  if (n < 1000) return `${n} B`;
  const units = ["KB", "MB", "GB", "TB", "PB"];
  let value = n / 1000;
  let unit = 0;
  for (; value >= 999.5 && unit < units.length - 1; unit++) value /= 1000;
  return `${value < 9.95 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

/** Addresses that no country has, by what they are for (RFC 6890 and 4291); v4-mapped ones as the IPv4 that they are. */
const KINDS: readonly (readonly [is: RegExp, word: string])[] = [
  [/^(?:127\.|::1$)/, "this host"],
  [/^(?:0\.0\.0\.0|::)$/, "any address"],
  [/^(?:10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|f[cd])/i, "private"],
  [/^(?:169\.254\.|fe[89ab])/i, "link-local"],
  [/^100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7])\./, "CGNAT"],
  [/^(?:22[4-9]|23\d)\.|^ff/i, "multicast"],
  [/^255\.255\.255\.255$/, "broadcast"],
];

/** Where an address is, in words; never a guess. */
export function place(end: Endpoint): string {
  const { country_iso_code: code, city_name: city, country_name: country } = end.geo ?? {};
  if (code) return city ? `${code} ${city}` : country ? `${code} ${country}` : code;
  return placeKind(end);
}

/** What an address without a country is. */
export function placeKind({ ip }: Endpoint): string {
  const plain = ip.replace(/^::ffff:(?=\d+\.)/i, "");
  return KINDS.find(([is]) => is.test(plain))?.[1] ?? "place unknown";
}

/** The network that announces an address, as 'Chinanet AS4134': where there is little room the name is what stays. */
export const network = (end: Endpoint) => (end.as ? `${end.as.organization ? `${end.as.organization.name} ` : ""}AS${end.as.number}` : "");

export const address = (end: Endpoint) => {
  const ip = end.ip.includes(":") && end.port !== undefined ? `[${end.ip}]` : end.ip;
  return end.port === undefined ? ip : `${ip}:${end.port}`;
};

/** Who logged in and from where: 'root@198.51.100.7', 'root on the console'. */
export function loginName(login: LoginState): string {
  const user = login.user?.name ?? (login.user?.id === undefined ? "?" : `uid ${login.user.id}`);
  if (login.source) return `${user}@${login.source.ip}`;
  return login.type === "sshd" ? `${user}@?` : `${user} (${login.type})`;
}

/** As {@link loginName}, with the number by which it is called on a call: several logins may be of one account and address. */
export const loginCalled = (login: LoginState): string => `L${login.number} ${loginName(login)}`;

/** `136:0` is pts/0, `4:1` is tty1 (Linux devices.txt: majors 136 to 143 are Unix98 terminals, 4 is consoles and serial lines). */
export function terminalName(device: string): string {
  const match = /^(\d+):(\d+)$/.exec(device);
  if (!match) return device;
  const [major, minor] = [Number(match[1]), Number(match[2])];
  if (major >= 136 && major <= 143) return `pts/${(major - 136) * 256 + minor}`;
  if (major === 4) return minor < 64 ? `tty${minor}` : `ttyS${minor - 64}`;
  return device;
}
