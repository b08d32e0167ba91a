import { execFileSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { rangeAvailable } from "#range/available";
import { type Range, startRange } from "#range/range";
import { BASE } from "./collectors/base.ts";
import { CONTAINERS } from "./collectors/containers.ts";
import { sshRunner } from "./testing/ssh-runner.ts";
import { type Watched, watch } from "./testing/watched.ts";

const ID = "5e".repeat(32);
const OTHER = "0f".repeat(32);
/** As docker 27 lays it out, shortened: what an image's author or a container's starter can write stands before and behind. */
const DOCKER = {
  StreamConfig: {},
  Config: {
    Hostname: "web",
    Env: ["PASSWORD=hunter2", 'X="Name":"/evil"'],
    Image: "nginx:1.25",
    Labels: { Name: "/evil", Image: "evil", 'a"},"Name":"/evil': "x" },
  },
  Created: "2026-11-20T10:00:00Z",
  ID,
  Image: "sha256:aa",
  MountPoints: { "/data": { Name: "volume" } },
  Name: "/we\u00e9b\u001b[2J",
};
const PODMAN = [
  { id: OTHER, names: ["other"], metadata: JSON.stringify({ "image-name": "evil" }) },
  { id: ID, names: ["api", "second"], image: "bb", metadata: JSON.stringify({ "image-name": "quay.io/x/api:2", name: "api" }) },
];

/** What perl makes of a JSON text: the path and the text of every string in it. */
function strings(text: string): string[] {
  const script = `${BASE}${CONTAINERS}\nlocal $/; json_strings(<STDIN>, sub { print "$_[0]=$_[1]\\n" });`;
  return execFileSync("perl", ["-e", script], { input: text }).toString().split("\n").slice(0, -1);
}

test("strings of a JSON text have the path that JSON gives them, whatever is written in them", () => {
  const found = strings(JSON.stringify(DOCKER));
  expect(found.filter((line) => line.startsWith("Name="))).toEqual([`Name=${DOCKER.Name}`]);
  expect(found).toContain("Config/Image=nginx:1.25");
  expect(found).toContain("Config/Labels/Name=/evil");
  expect(strings(JSON.stringify(PODMAN))).toEqual(expect.arrayContaining([`1/id=${ID}`, "1/names/0=api", "1/names/1=second"]));
  expect(strings('{"a":[[1,"x"],{"b":"y"}],"c":"z"}')).toEqual(["a/0/1=x", "a/1/b=y", "c=z"]);
});

test("a text that is cut, nested without end or no JSON at all ends, and says no more than it has", () => {
  expect(strings('{"Name":"/web","Config":{"Image":"ngi')).toEqual(["Name=/web"]);
  expect(strings("[".repeat(500_000))).toEqual([]);
  expect(strings('{"a":'.repeat(1000))).toEqual([]);
  expect(strings("\0\xff}}}]]]")).toEqual([]);
  expect(strings(`{"Name":"${"\\\\".repeat(20_000)}"}`)[0]?.length).toBe(20_005);
  expect(strings(`{"Name":"${"\\\\".repeat(200_000)}"}`)).toEqual([]); // more than perl's pattern repeats: then it is not known
});

describe.skipIf(rangeAvailable() !== undefined)("containers by their cgroup, on a real host", () => {
  let range: Range;
  let seen: Watched | undefined;
  const TREE = "/mnt/stakeout-test";
  const CGROUPS = [`${TREE}/docker/${ID}`, `${TREE}/docker`, `${TREE}/machine.slice/libpod-${OTHER}.scope`, `${TREE}/machine.slice`];
  const onHost = (script: string, input?: string) => range.onHost(["sh", "-c", script], input);
  beforeAll(async () => {
    range = await startRange();
  });
  afterAll(async () => {
    await seen?.collector.stop();
    // the hierarchy is the machine's: the empty groups go before the host does
    await onHost(
      `for g in ${CGROUPS.join(" ")}; do for p in $(cat $g/cgroup.procs); do kill -9 $p; done; done; sleep 0.2; rmdir ${CGROUPS.join(" ")}; umount ${TREE}`,
    );
    await range?.stop();
  });

  test("a container that is there when we come has its name, its image and its processes' pids inside", async (context) => {
    const made = await onHost(`mkdir -p ${TREE} && mount -t cgroup2 none ${TREE} && mkdir -p ${CGROUPS.join(" ")}`);
    if (made.code !== 0) return context.skip(`no cgroup2 can be mounted on the host: ${made.stderr}`);
    await onHost(`mkdir -p /var/lib/docker/containers/${ID}; cat >/var/lib/docker/containers/${ID}/config.v2.json`, JSON.stringify(DOCKER));
    await onHost(
      "mkdir -p /var/lib/containers/storage/overlay-containers; cat >/var/lib/containers/storage/overlay-containers/containers.json",
      JSON.stringify([...PODMAN.slice(1), { ...PODMAN[0], metadata: "no json" }]),
    );
    const start = async (group: string, seconds: number) =>
      Number(
        (
          await onHost(
            `(echo 0 >${group}/cgroup.procs; exec unshare --pid --fork sleep ${seconds}) >/dev/null 2>&1 & sleep 0.3; pgrep -f '^sleep ${seconds}'`,
          )
        ).stdout,
      );
    const inDocker = await start(CGROUPS[0] as string, 411);
    const inPodman = await start(CGROUPS[2] as string, 412);
    seen = await watch(sshRunner(range));
    expect((await seen.see("cgroup", (o) => o.pid === inDocker)).path).toMatch(new RegExp(`/docker/${ID}$`));
    expect(await seen.see("container", (o) => o.id === ID)).toEqual({
      kind: "container",
      id: ID,
      name: "we\u00e9b\u001b[2J",
      image: "nginx:1.25",
    });
    expect(await seen.see("container", (o) => o.id === OTHER)).toEqual({ kind: "container", id: OTHER, name: "other" });
    for (const pid of [inDocker, inPodman]) expect(await seen.see("pid-inside", (o) => o.pid === pid)).toMatchObject({ inside: 1 });
    expect(seen.of("container")).toHaveLength(2); // each once, however many processes it has
    expect(JSON.stringify(seen.all, (_, value) => (typeof value === "bigint" ? `${value}` : value))).not.toContain("hunter2");
  });

  test("what the service manager starts later is told with the unit that it is in, under tracefs too", async (context) => {
    if (!seen) return context.skip("no cgroup2 can be mounted on the host");
    expect(seen.collector.hello.tier).toMatch(/^tracefs/);
    const unit = CGROUPS[3] as string;
    // whoever started it is gone before it becomes what it is: so its parent is process 1, as a unit's is
    await onHost(
      `(sh -c 'until [ "$(cut -d" " -f4 /proc/$$/stat)" = 1 ]; do :; done; echo 0 >${unit}/cgroup.procs; exec sleep 413' >/dev/null 2>&1 &)`,
    );
    const { pid } = await seen.see("exec", (o) => o.facts?.args?.[1] === "413");
    expect((await seen.see("cgroup", (o) => o.pid === pid)).path).toMatch(/\/machine\.slice$/);
  });
});
