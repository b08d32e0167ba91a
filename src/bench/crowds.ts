import { join } from "node:path";
import type { EventDraft } from "#model/event";
import type { HostString } from "#model/host-string";
import { EventLog } from "#session/event-log";
import { createSession, saveAbout } from "#session/session-store";

const START = Date.UTC(2026, 10, 27, 21, 0, 0);
const text = (value: string) => value as HostString;
const PLACES = [
  ["203.0.113.", "CN", "China", "Nanjing", 32.06, 118.76, 4134, "Chinanet"],
  ["198.51.100.", "BR", "Brazil", "São Paulo", -23.55, -46.63, 26599, "Telefônica Brasil"],
  ["192.0.2.", "JP", "Japan", "東京", 35.68, 139.69, 2914, "日本電信電話"],
  ["185.220.101.", "DE", "Germany", "Berlin", 52.52, 13.4, 60729, "Stiftung Erneuerbare Freiheit"],
] as const;
/** Names as an attacker, or an honest person somewhere in the world, may give them. */
const NAMES = [
  "日本語のファイル名がとても長い場合",
  "данные",
  "emoji🚀👩‍💻🇯🇵",
  "\u001b[2J\u001b]0;owned\u0007",
  "gnp.\u202eexe",
  "zero\u200bwidth",
  "한국어",
  `long-${"x".repeat(300)}`,
  "tab\tand\nnewline",
  "e\u0301\u0301\u0301\u0301accents",
] as const;

/** Sessions that no night gives: nothing, one thing, far too much, and names that want to break the screen. They go into `root`. */
export async function writeCrowds(root: string): Promise<Record<"empty" | "one" | "crowd" | "names", string>> {
  return {
    empty: await session(root, "empty", () => {}),
    one: await session(root, "one", (tell) => crowd(tell, 1, (i) => `/usr/bin/sleep${i || ""}`)),
    crowd: await session(root, "crowd", (tell) => crowd(tell, 20_000, (i) => `/opt/app/worker-${i % 97}`)),
    names: await session(root, "names", (tell) => crowd(tell, 40, (i) => `/tmp/${NAMES[i % NAMES.length]}`)),
  };
}

type Tell = (at: number, draft: Omit<Partial<EventDraft>, "event"> & { event: Partial<EventDraft["event"]> }) => void;

async function session(root: string, name: string, story: (tell: Tell) => void): Promise<string> {
  const folder = await createSession(root, { label: name }, START);
  const log = await EventLog.create({ file: folder.events, session: folder.about.session, now: () => START });
  log.setHost({ id: name, name: text(name) });
  const tell: Tell = (at, { event, stakeout, ...rest }) => {
    log.append({
      "@timestamp": new Date(START + at * 1000).toISOString(),
      event: { action: "process.start", category: ["process"], type: ["start"], ...event },
      stakeout: { sensor: "collector", tier: "tracefs+proc", ...stakeout },
      ...rest,
    });
  };
  tell(0, { event: { action: "session.start" }, stakeout: { sensor: "console", tier: "analyst" } });
  tell(0.1, { event: { action: "sensor.start" }, stakeout: { sensor: "collector", tier: "tracefs+proc", report: { lost: 0, raced: 0 } } });
  story(tell);
  await log.close();
  folder.about.head = log.head;
  await saveAbout(folder);
  return join(folder.path);
}

/** So many processes, and a login, a connection and a file for every few of them. */
function crowd(tell: Tell, processes: number, path: (i: number) => string): void {
  const logins = Math.ceil(processes / 80);
  const leader = (i: number) => {
    const [net] = PLACES[i % PLACES.length] as (typeof PLACES)[number];
    return {
      entity_id: `B:${10 + i}:1`,
      entry_meta: { type: "sshd" as const, source: { ip: `${net}${1 + (i % 200)}`, port: 40_000 + i } },
    };
  };
  for (let i = 0; i < logins; i++) {
    const process = {
      entity_id: `B:${10 + i}:1`,
      pid: 10 + i,
      name: text("sshd"),
      executable: text("/usr/sbin/sshd"),
      entry_leader: leader(i),
    };
    tell(i / 10, { event: {}, process });
    const [, code, country, city, lat, lon, asn, organization] = PLACES[i % PLACES.length] as (typeof PLACES)[number];
    const place = {
      geo: { country_iso_code: code, country_name: country, city_name: city, location: { lat, lon } },
      as: { number: asn, organization: { name: organization } },
    };
    const source = { ...leader(i).entry_meta.source, ...place };
    const user = { id: String(i % 3), name: text(["root", "深田", "o'neil‮"][i % 3] as string) };
    tell(i / 10, {
      event: { action: "login.start", outcome: "success" },
      process: { ...process, tty: { char_device: { major: 136, minor: i % 200 } } },
      user,
      source,
    });
  }
  for (let i = 0; i < processes; i++) {
    const at = logins / 10 + i / 50;
    const owner = leader(i % logins);
    const id = `B:${1000 + i}:1`;
    const file = path(i);
    const process = {
      entity_id: id,
      pid: 1000 + i,
      name: text(file.slice(file.lastIndexOf("/") + 1).slice(0, 60)),
      executable: text(file),
      args: [text(file), text("--port"), text(String(8000 + (i % 900)))],
      parent: { entity_id: i % 5 === 0 || processes === 1 ? owner.entity_id : `B:${1000 + i - 1}:1` },
      entry_leader: owner,
    };
    const binary = i % 40 < 10 && processes > 1 ? { origin: "exec" as const, random: (i % 10) / 10 } : undefined;
    tell(at, { event: {}, process, ...(binary ? { stakeout: { sensor: "collector", tier: "tracefs+proc", binary } } : {}) });
    if (i % 7 !== 0) continue;
    const [net, code, country, city, lat, lon, asn, organization] = PLACES[(i / 7) % PLACES.length] as (typeof PLACES)[number];
    const destination = {
      ip: `${net}${1 + (i % 250)}`,
      port: 443,
      geo: { country_iso_code: code, country_name: country, city_name: city, location: { lat, lon } },
      as: { number: asn, organization: { name: organization } },
    };
    const source = { ip: "10.0.0.5", port: 20_000 + i };
    const stakeout = { sensor: "collector", tier: "tracefs+proc", connection: `c${i}` };
    tell(at, {
      event: { action: "network.start" },
      network: { transport: "tcp", direction: "egress" },
      process,
      source,
      destination,
      stakeout,
    });
    if (i % 2)
      tell(at, {
        event: { action: "network.established" },
        network: { transport: "tcp", direction: "egress" },
        process,
        source,
        destination,
        stakeout,
      });
  }
}
