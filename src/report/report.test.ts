import { describe, expect, test } from "vitest";
import type { Endpoint, StakeoutEvent, Verdict } from "#model/event";
import { emptyState } from "#state/create";
import { reduce } from "#state/reduce";
import { teller, text } from "#testing/events";
import { type Cover, reportOf } from "./report.ts";

const COVER: Cover = {
  hostLabel: "devbox",
  chain: { ok: true, events: 0, head: "ab".repeat(32), broken: 0 },
  sealed: true,
  version: "9.9",
};
const C2: Endpoint = {
  ip: "61.177.172.1",
  port: 443,
  geo: { country_iso_code: "CN", country_name: "China", city_name: "Nanjing" },
  as: { number: 4134, organization: { name: "Chinanet" } },
};
const HASH = "c61fc3c322216292c04948e8335c33018d349422027745386df5ca42c928ae70";

const leaderOf = (login: number) => ({
  entity_id: `B:${login}:1`,
  entry_meta: { type: "sshd" as const, source: { ip: `185.220.101.${login}` } },
});

/** A session told by hand: what its events are, and the report of them. */
function session() {
  const tell = teller();
  const events: StakeoutEvent[] = [];
  let connections = 0;
  const play = (draft: Parameters<typeof tell>[0]) => void events.push(tell(draft));
  const seen = { sensor: "collector", tier: "tracefs+proc" };
  const leader = leaderOf;
  const told = {
    play,
    events,
    begin: () =>
      play({
        event: { action: "session.start" },
        stakeout: {
          sensor: "console",
          tier: "analyst",
          analyst: "jm",
          geo: "DB-IP city 2026-06-05",
          connection_made: { user: "root", address: "10.0.0.1" },
        },
      }),
    login: (pid: number, user = "root") => {
      play({
        event: { action: "process.start" },
        process: { entity_id: `B:${pid}:1`, pid, executable: text("/usr/sbin/sshd"), args: [text("sshd")] },
        stakeout: seen,
      });
      play({
        event: { action: "login.start", outcome: "success" },
        process: { entity_id: `B:${pid}:1`, pid, entry_leader: leader(pid) },
        user: { id: "0", name: text(user) },
        source: { ip: `185.220.101.${pid}`, port: 5000, geo: { country_iso_code: "DE", country_name: "Germany" } },
        stakeout: seen,
      });
    },
    run: (pid: number, parent: number, login: number | undefined, ...args: string[]) =>
      play({
        event: { action: "process.start" },
        process: {
          entity_id: `B:${pid}:1`,
          pid,
          executable: text(args[0]?.startsWith("/") ? args[0] : `/usr/bin/${args[0]}`),
          args: args.map(text),
          parent: { entity_id: `B:${parent}:1` },
          ...(login === undefined ? {} : { entry_leader: leader(login) }),
        },
        stakeout: { ...seen, ...(args[0]?.startsWith("/tmp") ? { binary: { origin: "exec" as const, random: 0.9 } } : {}) },
      }),
    write: (path: string, pid: number, sha256?: string) => {
      play({ event: { action: "file.creation" }, file: { path: text(path) }, process: { entity_id: `B:${pid}:1` }, stakeout: seen });
      if (sha256 === undefined) return;
      play({
        event: { action: "file.info" },
        file: { path: text(path), size: 445, hash: { sha256 } },
        stakeout: { ...seen, binary: { elf: true } },
      });
    },
    call: (pid: number | undefined, to: Endpoint, through: boolean) => {
      const connection = `c${++connections}`;
      const shared = {
        network: { transport: "tcp" as const, direction: "egress" as const },
        source: { ip: "10.0.0.1" },
        destination: to,
        ...(pid === undefined ? {} : { process: { entity_id: `B:${pid}:1` } }),
        stakeout: { ...seen, connection },
      };
      play({ event: { action: "network.start" }, ...shared });
      if (through) play({ event: { action: "network.established" }, ...shared });
      play({ event: { action: "network.end", outcome: through ? "success" : "failure" }, ...shared });
    },
    tag: (id: string, login: number, verdict: Verdict, reason: string) =>
      play({
        event: { action: "tag.apply" },
        stakeout: { sensor: "console", tier: "analyst", analyst: "jm", tag: { id, verdict, selector: { login: `B:${login}:1` }, reason } },
      }),
    respond: (kind: "isolate" | "release", id: string, phase: "proposed" | "confirmed" | "succeeded") =>
      play({
        event: { action: `response.${phase}`, ...(phase === "succeeded" ? { duration: 1_093_000_000 } : {}) },
        stakeout: {
          sensor: "console",
          tier: "analyst",
          analyst: "jm",
          response: {
            id,
            kind,
            plan_sha256: HASH,
            ...(phase === "succeeded"
              ? { verified: { access: true, cut: kind === "isolate" }, steps: [{ name: "cut", ok: true, milliseconds: 7 }] }
              : {}),
            undo: "nft delete table inet x",
          },
        },
      }),
    report: (cover: Partial<Cover> = {}) => {
      const state = emptyState();
      for (const event of events) reduce(state, event);
      async function* again() {
        yield* events;
      }
      return reportOf(state, again(), { ...COVER, chain: { ...COVER.chain, events: events.length }, ...cover });
    },
  };
  return told;
}

/** The night in short: an intruder who reads a key and leaves a beacon, two analysts, one cut. */
function night() {
  const s = session();
  s.begin();
  s.login(10);
  s.login(20, "anna");
  s.run(11, 10, 10, "bash");
  s.run(12, 11, 10, "cat", "/etc/shadow");
  s.write("/tmp/xq7", 11, HASH);
  s.run(13, 11, 10, "/tmp/xq7", "--connect");
  s.run(21, 20, 20, "apt", "list");
  s.call(13, C2, true);
  s.call(13, C2, false);
  s.tag("t1", 20, "responder", "one of us");
  s.tag("t2", 10, "intruder", "calls abroad");
  for (const phase of ["proposed", "confirmed", "succeeded"] as const) s.respond("isolate", "r1", phase);
  s.call(13, C2, false);
  s.run(30, 1, undefined, "/tmp/xq7", "--again");
  s.call(30, C2, false);
  return s;
}

const section = (report: string, title: string) => report.split(/^## /m).find((part) => part.startsWith(title)) ?? `no section ${title}`;

describe("the report of a night", () => {
  test("says in plain words who got in, what they ran, what called abroad and what was done", async () => {
    const summary = section(await night().report(), "Summary");
    expect(summary).toContain("`root` from `185.220.101.10` (Germany, network not known)");
    expect(summary).toContain("tagged intruder by jm (calls abroad)");
    expect(summary).toContain("tagged as known: `anna` from `185.220.101.20`");
    expect(summary).toContain("files with secrets: `/etc/shadow`.");
    expect(summary).toContain("`61.177.172.1:443` (Nanjing, China, AS4134 Chinanet): 4 attempts");
    expect(summary).toContain("1 got through");
    expect(summary).toMatch(/jm cut the host off .*it was proven that the cut holds/);
    expect(summary).toContain("2 calls out were tried and none got through");
    expect(summary).toContain("the host was isolated.");
    expect(summary).toContain("`/tmp/xq7 --again` (pid 30)");
    expect(summary).not.toContain("apt");
    expect(summary).not.toContain("got through again");
  });

  test("what was done is told in the order in which it was, and what got through a cut by its far end and program", async () => {
    const s = session();
    s.begin();
    s.login(10);
    s.run(11, 10, 10, "bash");
    s.respond("isolate", "r1", "proposed");
    s.respond("isolate", "r2", "proposed");
    for (const phase of ["confirmed", "succeeded"] as const) s.respond("isolate", "r2", phase);
    s.run(12, 11, 10, "curl");
    s.call(12, C2, true);
    for (const phase of ["proposed", "confirmed", "succeeded"] as const) s.respond("release", "r3", phase);
    const report = await s.report();
    const summary = section(report, "Summary");
    expect(summary).toMatch(
      /jm planned to isolate the host at \S+, and it was not carried out\. jm cut the host off [\s\S]*jm released the host again/,
    );
    expect(summary).toMatch(/1 call out was tried and 1 got through, to `61\.177\.172\.1:443` by `\/usr\/bin\/curl`/);
    expect(section(report, "Timeline")).toMatch(/Isolated the host in 1\.1 s; our way in works, the cut holds/);
    expect(section(report, "Timeline")).toMatch(/Released the host in 1\.1 s/);
  });

  test("the timeline says of a finding who did it", async () => {
    const s = night();
    const finding = { id: "f1", rule: "r", title: "somebody listed all processes", level: "low" as const, technique: ["T1057"] };
    s.play({
      event: { action: "finding.create" },
      stakeout: { sensor: "analysis", tier: "trust", finding: { ...finding, entities: ["B:12:1", "B:20:1"] } },
    });
    expect(section(await s.report(), "Timeline")).toContain(
      "Finding (low): somebody listed all processes, by pid 12 `cat /etc/shadow` of `root` from `185.220.101.10`",
    );
  });

  test("a beacon that gets through again after the release is what is still open", async () => {
    const s = night();
    for (const phase of ["proposed", "confirmed", "succeeded"] as const) s.respond("release", "r2", phase);
    expect(section(await s.report(), "Summary")).not.toContain("got through again");
    s.call(30, C2, true);
    const summary = section(await s.report(), "Summary");
    expect(summary).toContain(
      "the host was not isolated. Since it was released, calls of theirs got through again: `61.177.172.1:443` at ",
    );
  });

  test("tells it in order, repeats counted, responders' commands left out", async () => {
    const timeline = section(await night().report(), "Timeline");
    const rows = timeline.split("\n").filter((line) => line.startsWith("| 21:"));
    expect(rows.map((row) => row.slice(2, 10))).toEqual(rows.map((row) => row.slice(2, 10)).toSorted());
    expect(timeline).toMatch(/calls `61\.177\.172\.1:443` .* — 2 times until 21:00:00, 1 got through/);
    expect(timeline).not.toContain("apt");
    expect(timeline).toContain("No line was left out for length.");
  });

  test("shows the tree, and what runs their file without a login", async () => {
    const tree = section(await night().report(), "Processes");
    expect(tree).toMatch(/^- \S+ pid 11 `bash`.*\n {2}- \S+ pid 12 `cat \/etc\/shadow`.*\n {2}- \S+ pid 13 `\/tmp\/xq7 --connect`/m);
    expect(tree).toMatch(/### Outside these logins[\s\S]*pid 30 `\/tmp\/xq7 --again`/);
    expect(tree).not.toContain("pid 21");
  });

  test("what a job brings back is told by its entry and who wrote that; runs that did the same are one, and how many", async () => {
    const s = night();
    const entry = {
      path: text("/etc/cron.d/kx"),
      line: text("* * * * * root /tmp/xq7"),
      written_by: { entity_id: "B:11:1", entry_leader: leaderOf(10), at: "2026-11-26T21:00:00Z" },
    };
    for (const pid of [40, 41, 42]) {
      s.run(pid, 1, undefined, "/tmp/xq7", "--cron");
      s.play({
        event: { action: "origin.start" },
        process: { entity_id: `B:${pid}:1`, pid, entry_leader: { entity_id: `B:${pid}:1`, entry_meta: { type: "cron", entry } } },
        stakeout: { sensor: "collector", tier: "tracefs+proc", origin: { type: "cron", login: "B:10:1" } },
      });
      s.play({
        event: { action: "process.end" },
        process: { entity_id: `B:${pid}:1`, pid },
        stakeout: { sensor: "collector", tier: "tracefs+proc" },
      });
    }
    s.play({
      event: { action: "baseline.added" },
      stakeout: {
        sensor: "look",
        tier: "files",
        inventory: {
          category: "cron",
          items: [{ category: "cron", id: `cron ${entry.path} ${entry.line}`, name: entry.path, detail: entry.line }],
        },
      },
    });
    const report = await s.report();
    expect(section(report, "Summary")).toContain(
      "Still in place, so that what is ended comes back: the entry `/etc/cron.d/kx`, written by `root` from `185.220.101.10`, which began 3 times.",
    );
    const started = "the entry `/etc/cron.d/kx`, written by `root` from `185.220.101.10`";
    const tree = section(report, "Processes");
    expect(tree).toContain(`Started by ${started}:`);
    expect(tree.match(/xq7 --cron/g)).toHaveLength(1);
    expect(tree).toMatch(/pid 40 `\/tmp\/xq7 --cron`\n {2}- and 2 times more in the same way, last \S+/);
    expect(tree).toMatch(/### Outside these logins[\s\S]*pid 30 `\/tmp\/xq7 --again`/);
    expect(section(report, "Files")).toContain(`under no login: started by ${started}`);
  });

  test("says where the intruder entered a container, with its hostile name as text, and which of the distribution's files were changed", async () => {
    const told = session();
    told.begin();
    told.login(10);
    told.run(11, 10, 10, "bash");
    const id = "5e".repeat(32);
    const seen = { sensor: "collector", tier: "tracefs+proc" };
    for (const [pid, parent] of [
      [12, 11],
      [13, 12],
    ] as const)
      told.play({
        event: { action: "process.start" },
        process: {
          entity_id: `B:${pid}:1`,
          pid,
          executable: text("/bin/sh"),
          args: [text(`sh${pid}`)],
          parent: { entity_id: `B:${parent}:1` },
          cgroup: text(`/system.slice/docker-${id}.scope`),
        },
        container: { id, name: text("web|<b>"), image: { name: text("nginx:1.25") } },
        stakeout: seen,
      });
    told.play({
      event: { action: "file.package" },
      file: { path: text("/usr/bin/ls"), hash: { sha256: HASH } },
      package: { name: text("coreutils"), version: text("9.1-1") },
      stakeout: { ...seen, ownership: { state: "owned", host: "differs", console: "differs" } },
    });
    const report = await told.report();
    const tree = section(report, "Processes");
    expect(tree).toMatch(/pid 12 `sh12` \(in the container `web`&#124;&#60;`b`&#62;` \(5e5e5e5e5e5e\), docker, image nginx:1\.25`;/);
    expect(tree.match(/in the container/g)).toHaveLength(1); // those below are in it too
    const files = section(report, "Files");
    expect(files).toMatch(
      /^- `\/usr\/bin\/ls`\n {2}- belongs to: `coreutils 9\.1-1, CHANGED: it differs from the host's own list; CHANGED/m,
    );
    expect(files).toContain("Against the list at the console: 0 the same, 1 changed");
  });

  test("gives the whole hash, the writer and the runners of a binary", async () => {
    const files = section(await night().report(), "Files");
    expect(files).toContain(`sha256 \`${HASH}\``);
    expect(files).toMatch(/written \S+ by pid 11 `bash`, login of `root`/);
    expect(files).toContain("run 2 times:");
    expect(files).toContain("not seen to be deleted");
  });

  test("a file that one of theirs wrote stays theirs when a responder wrote it again, and every hand is named", async () => {
    const s = night();
    s.run(22, 20, 20, "cp", "/tmp/xq7");
    s.write("/tmp/xq7", 22);
    s.write("/tmp/xq7", 999); // nobody saw this one start
    const report = await s.report();
    const files = section(report, "Files");
    expect(files).toMatch(/written \S+ by pid 11 `bash`, login of `root`/);
    expect(files).toMatch(/also changed by pid 22 `cp \/tmp\/xq7`, login of `anna`/);
    expect(files).toContain("and by at least one process that was not seen");
    expect(section(report, "Processes")).toMatch(/### Outside these logins[\s\S]*pid 30 `\/tmp\/xq7 --again`/);
  });

  test("counts what was tried while the host was isolated", async () => {
    expect(section(await night().report(), "Connections")).toMatch(/\| 4 \| 1 \| 2 tried, 0 through \|/);
  });

  test("names plan, proof, steps and undo of a response, and head, licences and ourselves", async () => {
    const report = await night().report();
    const responses = section(report, "Responses");
    for (const part of [
      HASH,
      "our way in works, the cut holds",
      "done: the rules are in force (7 ms)",
      "after 1.1 s",
      "\n\n      nft delete table inet x\n",
    ])
      expect(responses).toContain(part);
    expect(section(report, "The record")).toContain("ab".repeat(32));
    expect(section(report, "Sources")).toMatch(/DB-IP.*CC BY 4\.0[\s\S]*Route Views/);
    expect(section(report, "Our own")).toContain("as `root` at `10.0.0.1`");
  });

  test("a tag that is taken back judges nobody any more", async () => {
    const s = night();
    s.play({
      event: { action: "tag.remove" },
      stakeout: {
        sensor: "console",
        tier: "analyst",
        analyst: "jm",
        tag: { id: "t2", verdict: "intruder", selector: { login: "B:10:1" }, reason: "" },
      },
    });
    const report = await s.report();
    expect(section(report, "Summary")).toContain(
      "No login was tagged as the intruder's. Nobody vouched for 1 further login, which does not make it the intruder's",
    );
    expect(section(report, "Tags")).toMatch(/calls abroad \|[^|]*\| this session \| taken back/);
  });
});

describe("what is not known", () => {
  test("a recording that ends between the Enter and the proof does not say that the host was not isolated", async () => {
    const told = session();
    told.begin();
    told.respond("isolate", "r1", "proposed");
    told.respond("isolate", "r1", "confirmed");
    const text = await told.report();
    expect(text).toContain("to isolate the host was under way, and not proven: whether it was isolated is not known.");
    expect(text).not.toContain("the host was not isolated");
  });

  test("a session without sensor, tag or end says each", async () => {
    const s = session();
    s.begin();
    const report = await s.report({ sealed: false, chain: { ok: false, events: 1, head: "", broken: 3 } });
    expect(report).toContain("No sensor ever ran: nothing of the host was seen.");
    expect(report).toContain("The recording has no end");
    expect(report).toContain("Nobody tagged anything.");
    expect(report).toContain("Nothing was changed on the host with Stakeout.");
    expect(report).toContain("it is NOT whole: 3 damaged lines");
    expect(report).toContain("3 lines of the log could not be read");
    expect(report).toContain("the session was not ended when this report was made");
  });

  test("what the sensor said of its own blindness stands there, unseen fields counted", async () => {
    const s = session();
    s.begin();
    s.play({
      event: { action: "sensor.start" },
      stakeout: { sensor: "collector", tier: "poll", report: { lost: 12, raced: 3, blind: ["UDP is not seen"] } },
    });
    for (let pid = 40; pid < 43; pid++)
      s.play({
        event: { action: "process.start" },
        process: { entity_id: `B:${pid}:1`, pid },
        stakeout: { sensor: "collector", tier: "poll", unseen: { "process.args": "raced" } },
      });
    const unseen = section(await s.report(), "What could not be seen");
    expect(unseen).toContain("Sensor collector, tier poll: running");
    expect(unseen).toContain("events lost in the kernel: 12");
    expect(unseen).toContain("not seen by this tier: UDP is not seen");
    expect(unseen).toContain("| `process.args` | gone before it could be read | 3 |");
  });
});

test("a long night gives a short report that says what it leaves out", async () => {
  const s = session();
  s.begin();
  s.login(10);
  for (let n = 0; n < 2000; n++) s.run(100 + n, 10, 10, "ls", `/data/${n}`);
  const report = await s.report();
  const rows = [...section(report, "Timeline").matchAll(/`ls \/data\/\d+`/g)].length;
  const leftOut = Number(/Left out to keep this readable: ([\d,]+) commands between/.exec(report)?.[1]?.replaceAll(",", ""));
  expect(rows + leftOut).toBe(2000);
  expect(rows).toBeLessThan(300);
  expect(report.split("\n").length).toBeLessThan(1000);
  expect(section(report, "Timeline")).toContain("`ls /data/0`");
  expect(section(report, "Timeline")).toContain("`ls /data/1999`");
  expect(section(report, "Processes")).toMatch(/Left out here: 1,700 further processes/);
});

test("a scan of thousands of far ends and thousands of files do not leave out what comes after them", async () => {
  const told = session();
  told.begin();
  told.login(7);
  told.run(70, 7, 7, "nmap");
  for (let i = 0; i < 5100; i++) told.call(70, { ip: `10.9.${i >> 8}.${i & 255}`, port: 22 }, false);
  for (let i = 0; i < 5100; i++) told.write(`/tmp/chaff.${i}`, 70);
  told.write("/tmp/.kx9fq2vz", 70, HASH);
  told.run(71, 70, 7, "/tmp/.kx9fq2vz");
  for (let i = 0; i < 5; i++) told.call(71, { ip: "198.51.100.77", port: 443 }, true);
  const report = await told.report();
  expect(report).toMatch(/198\.51\.100\.77.*\| 5 \| 5 \|/);
  expect(report).toMatch(/Not shown: 10[0-9] events of further far ends/);
  expect(report).toContain(HASH);
  expect(report.slice(report.indexOf(HASH) - 2000)).toMatch(/kx9fq2vz/);
});

test("no name, path, argument, user, host or reason can become structure, a link or HTML", async () => {
  const evil = "x`|<img src=//evil.example>|](http://evil.example)\n# evil\n\n---\n<script>";
  const s = session();
  s.begin();
  s.login(10, evil);
  s.run(11, 10, 10, evil, evil);
  s.run(12, 11, 10, `/tmp/${evil}`, evil);
  s.write(`/tmp/${evil}`, 11, HASH);
  s.write(`/home/${evil}`, 11);
  s.call(12, { ...C2, geo: { country_iso_code: evil, city_name: evil }, as: { number: 1, organization: { name: evil } } }, true);
  s.call(undefined, { ip: evil, port: 1 }, true);
  s.tag("t1", 10, "intruder", evil);
  for (const phase of ["proposed", "confirmed", "succeeded"] as const) s.respond("isolate", evil, phase);
  s.play({ event: { action: "note.add" }, stakeout: { sensor: "console", tier: "analyst", analyst: evil, note: evil } });
  s.play({
    event: { action: "sensor.degraded", reason: evil },
    stakeout: { sensor: evil, tier: evil, report: { blind: [evil], reason: evil } },
  });
  s.play({
    event: { action: "process.start" },
    process: { entity_id: "B:50:1" },
    stakeout: { sensor: evil, tier: evil, unseen: { [evil]: evil as "raced" } },
  });
  for (const event of s.events) event.host.name = text(evil);
  const report = await s.report({ hostLabel: evil, version: evil });
  expect(report).toContain("img src"); // it is there to be read
  let columns = 0;
  for (const line of report.split("\n")) {
    expect(line.split("`").length % 2, `code spans are closed in ${line}`).toBe(1);
    const outside = line
      .split("`")
      .filter((_, i) => i % 2 === 0)
      .join("");
    expect(outside).not.toMatch(/evil|<|>/);
    expect(line).not.toMatch(/[<>]/);
    columns = line.startsWith("|") ? columns || line.split("|").length : 0;
    if (columns) expect(line.split("|").length, line).toBe(columns);
    else expect(line).not.toContain("|");
  }
});
