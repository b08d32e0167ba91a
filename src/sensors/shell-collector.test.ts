import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, readlinkSync } from "node:fs";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { decodeHostBytes } from "#model/host-string";
import type { Observation } from "#model/observation";
import { rangeAvailable } from "#range/available";
import { startC2 } from "#range/c2";
import { argvOnHost } from "#range/load";
import { processesIn } from "#range/network";
import { type Range, startRange } from "#range/range";
import { SHELL_BASE } from "./collectors/shell/base.ts";
import { SHELL_FILES } from "./collectors/shell/files.ts";
import { SHELL_PROCESSES } from "./collectors/shell/processes.ts";
import { type SshRunner, sshRunner } from "./testing/ssh-runner.ts";
import { until, type Watched, watch } from "./testing/watched.ts";
import { escapeField } from "./wire.ts";

/** A host without perl, and what its /bin/sh is. */
const SYSTEMS = ["busybox", "dash", "bash"] as const;

/** What is true of each of them: dash cannot read a NUL, bash is slow, busybox has programs of its own. */
describe.skipIf(rangeAvailable() !== undefined).each(SYSTEMS)("without perl, by the shell of %s", (system) => {
  let range: Range;
  let runner: SshRunner;
  let seen: Watched;
  const onHost = async (script: string, ...args: string[]) => {
    const ran = await range.onHost(["sh", "-c", script, "sh", ...args]);
    expect(ran.stderr).toBe("");
    return ran.stdout;
  };
  /** Runs a script on the host that outlives this call; ends with the test. */
  const running = (...argv: string[]) => {
    const child = spawn("setpriv", ["--pdeathsig", "KILL", "--", ...argvOnHost(range, argv)], { stdio: ["pipe", "ignore", "ignore"] });
    return { end: () => child.kill("SIGKILL"), ended: new Promise((done) => child.on("close", done)) };
  };
  const shells = async () =>
    Number(
      (
        await onHost(
          "n=0; for p in /proc/[0-9]*; do tr '\\0' ' ' <$p/cmdline 2>/dev/null | grep -q '[I]FS= read -r .w l;do' && n=$((n + 1)); done 2>/dev/null; echo $n",
        )
      ).trim(),
    );

  beforeAll(async () => {
    range = await startRange({ system: system === "busybox" ? "busybox" : "debian" });
    if (system !== "busybox") await onHost("mv /usr/bin/perl /usr/bin/perl.away");
    if (system === "bash") await onHost("ln -sf bash /bin/sh");
    runner = sshRunner(range);
    seen = await watch(runner, undefined, undefined, ["md5"]); // which no shell computes: the console reads the file over the line
  });
  afterAll(async () => {
    await seen?.collector.stop();
    await range?.stop();
  });

  test("says who it is, that it has no perl, and who is there, as the machine itself sees it", async () => {
    const { hello } = seen.collector;
    expect(hello).toMatchObject({ hostname: range.host.name, pids: "init", tier: "poll", uid: 0 });
    expect(hello.bootId).toMatch(/^[0-9a-f-]{36}$/);
    expect(hello.blind[0]).toMatch(/^no perl: a shell looks at processes four times a second/);
    expect(seen.of("login-peer").find((o) => o.pid === hello.sshd)).toMatchObject({
      local: { ip: range.host.address, port: 22 },
      remote: { ip: range.addresses.analyst },
    });
    const told = new Map(seen.of("process").map(({ pid, facts }) => [pid, facts]));
    let compared = 0;
    for (const global of processesIn([range.netns.host])) {
      if (!existsSync(`/proc/${global}/exe`)) continue; // a sleep of ours that has ended since
      const pid = Number(/^NSpid:.*?(\d+)$/m.exec(readFileSync(`/proc/${global}/status`, "latin1"))?.[1]);
      const facts = told.get(pid);
      if (!facts || facts.comm === "sleep") continue; // came later, or may have changed
      const args = readFileSync(`/proc/${global}/cmdline`, "latin1")
        .replace(/\0\0\0+$/, "\0")
        .split("\0")
        .slice(0, -1);
      const stat = readFileSync(`/proc/${global}/stat`, "latin1").split(") ").at(-1)?.split(" ") as string[];
      expect({ pid, args: facts.args, start: facts.startTicks, tty: facts.tty }).toEqual({
        pid,
        args,
        start: Number(stat[19]),
        tty: Number(stat[4]),
      });
      expect(facts.executable).toBe(readlinkSync(`/proc/${global}/exe`).replace(/^.*\/disk\/root/, ""));
      expect(facts.uid).toBe(Number(/^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${global}/status`, "latin1"))?.[1]));
      compared += 1;
    }
    expect(compared).toBeGreaterThan(4);
    expect(seen.of("user")).toContainEqual({ kind: "user", uid: 4001, name: "ops" });
    expect(seen.of("socket-found")).toContainEqual(
      expect.objectContaining({ transport: "tcp", state: "LISTEN", local: { ip: "0.0.0.0", port: 22 }, pid: expect.any(Number) }),
    );
  });

  test("tells of a program that lives two seconds: its parent, its arguments, its end; and of none of our own", async () => {
    const before = seen.all.length;
    const parent = (await onHost("sleep 2 & echo $$ $!")).trim().split(" ").map(Number) as [number, number];
    const began = await seen.see("exec", (o) => o.pid === parent[1] && o.facts.args?.join(" ") === "sleep 2");
    expect(began.facts.executable).toMatch(/busybox$|sleep$/);
    expect((await seen.see("fork", (o) => o.pid === began.pid)).ts).toBe(began.ts);
    const end = await seen.see("exit", (o) => o.pid === began.pid);
    expect(end.ts - began.ts).toBeGreaterThan(1.5e9);
    const { hello } = seen.collector;
    const ours = seen.all
      .slice(before)
      .filter((o) => o.kind === "exec" && (o.facts.ppid === hello.self || o.facts.args?.at(-1) === "0.25"));
    expect(ours).toEqual([]);
  });

  test("tells that a process runs another program in its own place", async () => {
    const script = running("sh", "-c", "sleep 1.5; exec sleep 40.04");
    try {
      const first = await seen.see("exec", (o) => o.facts.args?.[2]?.includes("exec sleep 40.04") === true);
      const second = await seen.see("exec", (o) => o.pid === first.pid && o.facts.args?.join(" ") === "sleep 40.04");
      expect(second.facts.startTicks).toBe(first.facts.startTicks);
      expect(seen.of("exit").filter((o) => o.pid === first.pid && o.ts < second.ts)).toEqual([]);
    } finally {
      script.end();
    }
  });

  // where every program is one and the same file, its name tells nothing
  test.skipIf(system === "busybox")("what takes a program's place while its links are read is told under its own name", async () => {
    const script = `${SHELL_BASE}\n${SHELL_PROCESSES}
ROOT=1 T_PID=1 LS_AGAIN=0 NEWEST= go=/run/go-${system}
mkfifo $go
sh -c 'read -r x <"$1"; exec sleep 41' sh $go & child=$!
links_of() { # once read, the links are those of what was there before
  eval "x$1=$(readlink "/proc/$1/exe") w$1=/"
  [ "$gone" ] || { gone=1; echo >$go; until [ "$(cat "/proc/$1/comm")" = sleep ]; do :; done; }
}
boot; born $child; again $child; kill $child`;
    const { stdout } = await range.onHost(["/bin/sh", "-c", script]);
    const [, , pid, path] =
      stdout
        .split("\n")
        .findLast((line) => line.startsWith("E\t"))
        ?.split("\t") ?? [];
    expect([Number(pid) > 1, path]).toEqual([true, expect.stringMatching(/\/sleep$/)]);
  });

  test("hostile names and arguments come as they are, and forge nothing", async () => {
    const lines = seen.collector.stats().undecodable;
    const forged = "P\t1\t0\t1\t1\t0\t0\t0\t0\tforged\t/forged\t\t/\t=forged\t\t";
    const args = ["a\nb", `x\n${forged}\nX\t1\t1`, "t\ta\\b\x1fc", "\x1b]0;owned\x07", "", "‮zero​", "q".repeat(300), ""];
    // a name with brackets and a newline, in a folder that looks like what ls prints, with bytes that are no text
    const place = String.raw`d=$(printf '/tmp/a -> b\nlrwxrwxrwx 1 0 0 0 Jan 1 00:00 /proc/1/exe -> /forged\n\377\201x'); f=$d/$(printf 'a) R 1 1\n(b'); `;
    const program =
      system === "busybox" ? ["/usr/sbin/dropbear", "-F", "-p", "127.0.0.1:2299", "-r", "/etc/dropbear/key"] : ["/bin/sleep", "30.03"];
    await onHost(`${place} mkdir -p "$d" && cp "$1" "$f"`, program[0] as string);
    const child = running("sh", "-c", `${place} cd "$d"; exec "$f" "$@"`, "sh", ...program.slice(1));
    const odd = running("sh", "-c", `sleep 31.03; : "$@"`, "sh", ...args);
    try {
      const list = await seen.see("exec", (o) => o.facts.args?.[2]?.startsWith("sleep 31.03") === true);
      expect(list.facts.args?.slice(4)).toEqual(args);
      const named = await until(
        () => seen.of("exec").find((o) => o.path.includes("/a) R 1 1")),
        () => JSON.stringify(seen.of("exec").slice(-4)),
      );
      const folder = decodeHostBytes(
        Buffer.concat([
          Buffer.from("/tmp/a -> b\nlrwxrwxrwx 1 0 0 0 Jan 1 00:00 /proc/1/exe -> /forged\n"),
          Buffer.from([0xff, 0x81, 0x78]),
        ]),
      );
      expect(named.path).toBe(`${folder}/a) R 1 1\n(b`);
      expect(named.facts).toMatchObject({ comm: "a) R 1 1\n(b", executable: named.path, cwd: folder, tty: 0 });
      await seen.see("tick", (o) => o.ts > named.ts + 2e9);
      expect(seen.all.filter((o) => JSON.stringify(o, (_k, v) => (typeof v === "bigint" ? 0 : v)).includes('"/forged"'))).toEqual([]);
      expect(seen.of("process").filter((o) => o.pid === 1)).toHaveLength(1);
      expect(seen.collector.stats().undecodable).toBe(lines);
    } finally {
      child.end();
      odd.end();
    }
  });

  test("every byte of a value comes back as it was, through the shell's own escaping and its reading", async () => {
    const bytes = fc.array(
      fc.oneof(
        { weight: 3, arbitrary: fc.constantFrom(0x0a, 0x09, 0x5c, 0x1f, 0x78, 0x30, 0x2a, 0x5b, 0x3f) },
        fc.integer({ min: 1, max: 255 }),
      ),
      { maxLength: 24 },
    );
    const values = [...fc.sample(bytes, { numRuns: 60, seed: 7 }), Array.from({ length: 255 }, (_, i) => i + 1)].map((list) =>
      Buffer.from(list),
    );
    const octal = (value: Buffer) => [...value].map((byte) => `\\${byte.toString(8).padStart(3, "0")}`).join("");
    const script = `${SHELL_BASE}\n${SHELL_FILES}\nfor o; do v=$(printf "$o"_); v=\${v%_}; esc "$v"; printf '%s\\n' "$E"; unesc "$E"; [ "$V" = "$v" ] || echo differs; done`;
    const ran = await range.onHost(["/bin/sh", "-c", script, "sh", ...values.map(octal)]);
    const said = ran.stdout.split("\n").slice(0, -1);
    expect(ran.stdout).not.toContain("differs");
    expect(said).toHaveLength(values.length);
    const raw = (await range.onHost(["/bin/sh", "-c", `${script} | od -An -v -tx1 | tr -d ' \\n'`, "sh", ...values.map(octal)])).stdout;
    const expected = Buffer.concat(values.flatMap((value) => [escapeField(decodeHostBytes(value)), Buffer.from("\n")])).toString("hex");
    expect(raw).toBe(expected);
  });

  test("arguments of any bytes come as they are", async () => {
    const byte = fc.oneof(fc.constantFrom(0x0a, 0x09, 0x5c, 0x1f, 0x20, 0x2a, 0x27), fc.integer({ min: 1, max: 255 }));
    const lists = fc.sample(fc.array(fc.array(byte, { maxLength: 30 }), { minLength: 1, maxLength: 6 }), { numRuns: 12, seed: 3 });
    const script = `n=$#; for o; do v=$(printf "$o"_); set -- "$@" "\${v%_}"; done; shift $n; exec sh -c "sleep 3; :" "$@"`;
    const children = lists.map((list) =>
      running(
        "sh",
        "-c",
        script,
        "sh",
        ...["made", ...list.map((bytes) => bytes.map((one) => `\\${one.toString(8).padStart(3, "0")}`).join(""))],
      ),
    );
    try {
      for (const list of lists) {
        const args = ["sh", "-c", "sleep 3; :", "made", ...list.map((bytes) => decodeHostBytes(Uint8Array.from(bytes)))];
        // a row of NULs at the end is taken for what a program that wrote its title left
        if (args.at(-1) === "" && args.at(-2) === "") while (args.at(-1) === "") args.pop();
        await seen.see("exec", (o) => JSON.stringify(o.facts.args) === JSON.stringify(args));
      }
      expect(seen.collector.stats().undecodable).toBe(0);
    } finally {
      for (const child of children) child.end();
    }
  });

  test("tells of connections with their process, both ways, of one that ended between two looks, and of what listens", async () => {
    const { c2 } = range;
    const server = await startC2(range);
    const out = running("busybox", "nc", c2.address, String(c2.port));
    const listens = running("busybox", "nc", "-l", "-p", "4444");
    try {
      const begun = await seen.see("socket", (o) => o.to === "SYN_SENT" && o.remote.port === c2.port);
      const owner = await seen.see("exec", (o) => o.pid === begun.pid);
      expect(owner.facts.args?.slice(-2)).toEqual([c2.address, String(c2.port)]);
      const listening = await seen.see("socket", (o) => o.to === "LISTEN" && o.local.port === 4444);
      expect((await seen.see("exec", (o) => o.pid === listening.pid)).facts.args).toContain("4444");
      // the kernel remembers the one that closed first; a server that closes before it has read all resets it, and nothing is remembered
      const short = () => range.onHost(["sh", "-c", "printf 'GET / HTTP/1.0\\r\\n\\r\\n' | busybox nc 127.0.0.1 8080"]);
      const ended = (o: Observation) =>
        o.kind === "socket" && o.to === "CLOSE" && (o.remote.port === 8080 || o.local.port === 8080) && o.local.ip.endsWith("127.0.0.1");
      await until(async () => {
        await short();
        return seen.all.some(ended);
      }, "a connection that ended between two looks");
      await onHost(`kill ${begun.pid} ${listening.pid}`);
    } finally {
      out.end();
      listens.end();
      await server.stop();
    }
    await seen.see("socket", (o) => o.to === "CLOSE" && o.remote.port === c2.port);
    await seen.see("socket", (o) => o.from === "LISTEN" && o.local.port === 4444);
  });

  // busybox has nothing that could open so many
  if (system !== "busybox")
    test("a process with very many descriptors hides only its own sockets, and that is said", async () => {
      const many = running(
        "python3",
        "-c",
        // its own socket comes last: whoever looks for its owner looks at all that it has
        "import os,resource,socket,time\nresource.setrlimit(resource.RLIMIT_NOFILE,(4000,4000))\nf=[os.open('/dev/null',0) for _ in range(3000)]\ns=socket.socket()\ns.bind(('127.0.0.1',4546))\ns.listen()\ntime.sleep(600)",
      );
      const began = await seen.see("exec", (o) => o.facts.args?.[2]?.includes("RLIMIT_NOFILE") === true);
      await until(async () => Number(await onHost(`ls /proc/${began.pid}/fd | wc -l`)) > 3000, "it has opened them");
      const listens = running("busybox", "nc", "-l", "-p", "4545");
      try {
        const listening = await seen.see("socket", (o) => o.to === "LISTEN" && o.local.port === 4545);
        expect((await seen.see("exec", (o) => o.pid === listening.pid)).facts.args).toContain("4545");
        expect((await seen.see("socket", (o) => o.to === "LISTEN" && o.local.port === 4546)).pid).toBeUndefined();
        await seen.see("problem", (o) => o.what.startsWith(`process ${began.pid} has more than 2000 descriptors`));
        await onHost(`kill ${began.pid} ${listening.pid}`);
      } finally {
        many.end();
        listens.end();
      }
    });

  test("facts of files: hashed, deleted ones too; never a fifo, never through a link; owners and sockets said as not looked at", async () => {
    const content = "hello\n";

    await onHost(
      `printf '${content.replace("\n", "\\n")}' >"/tmp/odd na\\\\me "; mkfifo /tmp/fifo; ln -s "/tmp/odd na\\\\me " /tmp/link; mkdir /tmp/gone; cp "$(readlink -f /bin/sleep)" /tmp/gone/sleep`,
    );
    const info = (path: string, pid?: number) => {
      expect(seen.collector.requestFileInfo(path, pid)).toBe(true);
      return seen.see("file-info", (o) => o.path === path);
    };
    expect(await info("/tmp/odd na\\me ")).toMatchObject({
      size: 6,
      uid: 0,
      elf: false,
      sha256: createHash("sha256").update(content).digest("hex"),
      mode: 0o100644,
    });
    const read = await seen.see("file-info", (o) => o.path === "/tmp/odd na\\me " && o.md5 !== undefined);
    expect(read).toMatchObject({ md5: createHash("md5").update(content).digest("hex"), streamed: { bytes: 6 } });
    expect((await info("/tmp/fifo")).error).toBe("not a regular file");
    expect((await info("/tmp/link")).error).toBe("not a regular file");
    expect((await info("/tmp/none")).error).toMatch(/not there/);
    expect((await info(`/${"x\n".repeat(3000)}`)).error).toBeDefined();
    const child = running("/tmp/gone/sleep", "33.03");
    try {
      const ran = await seen.see("exec", (o) => o.path === "/tmp/gone/sleep");
      await onHost("rm /tmp/gone/sleep");
      const program = readFileSync(`/proc/${range.hostPid1}/root/bin/${system === "busybox" ? "busybox" : "sleep"}`);
      expect(await info("/tmp/gone/sleep", ran.pid)).toMatchObject({
        elf: true,
        uid: 0,
        size: program.length,
        sha256: createHash("sha256").update(program).digest("hex"),
      });
    } finally {
      child.end();
    }
    expect(seen.collector.requestOwner("/bin/sh")).toBe(true);
    expect(await seen.see("file-owner", (o) => o.path === "/bin/sh")).toMatchObject({
      found: "unknown",
      why: expect.stringMatching(/no perl/),
    });
    seen.collector.requestSockets();
    expect(await seen.see("unix-end")).toMatchObject({ why: expect.stringMatching(/no perl/) });
  });

  // the shell of busybox runs its own applets, whatever stands in the folders
  if (system === "dash")
    test("programs of the host that hang keep it for seconds, and that is said", async () => {
      const hang = String.raw`for t in ls dd; do mv $(command -v $t) /bin/$t.away; printf '#!/bin/sh\nsleep 1000 & wait\n' >/bin/$t; chmod 755 /bin/$t; done`;
      await onHost(hang);
      try {
        const { length } = seen.of("problem");
        expect(seen.collector.requestFileInfo("/etc/passwd")).toBe(true);
        const child = running("sh", "-c", "sleep 35.05; :");
        await until(
          () =>
            seen
              .of("problem")
              .slice(length)
              .some((o) => o.what.startsWith("ls on this host hangs")),
          "the hang is told",
        );
        const began = await seen.see("exec", (o) => o.facts.args?.[2] === "sleep 35.05; :");
        expect(began.facts).toMatchObject({ unseen: { executable: "raced", cwd: "raced" } });
        const ts = seen.of("tick").at(-1)?.ts ?? 0;
        await seen.see("tick", (o) => o.ts > ts + 1e9);
        expect((await seen.see("file-info", (o) => o.path === "/etc/passwd")).error).toMatch(/dd on this host hangs|could not be hashed/);
        child.end();
      } finally {
        await onHost("for t in ls dd; do mv /bin/$t.away /bin/$t; done");
      }
    });

  test("a folder that once had too many names is looked at again when it has not: that is said both times", async () => {
    await onHost("cd /var/tmp; i=0; while [ $i -lt 1001 ]; do : >n$i; i=$((i+1)); done");
    await seen.see("problem", ({ what }) => what === "/var/tmp has more than 1000 names: new files there are not seen");
    await onHost("cd /var/tmp; rm n*");
    const again = "/var/tmp has 1000 names or fewer again: new files there are seen from now on, which came meanwhile was not";
    await seen.see("problem", ({ what }) => what === again);
    await onHost(": >/var/tmp/late");
    await seen.see("file", ({ path, change }) => path === "/var/tmp/late" && change === "created");
    expect(seen.of("problem").filter(({ what }) => what.startsWith("/var/tmp has"))).toHaveLength(2);
    await onHost("rm /var/tmp/late");
  });

  test("tells of new files by their names", async () => {
    const name = "/tmp/dropped -> \\x41\tx";
    await onHost(`: >"$1"`, name);
    expect(await seen.see("file", (o) => o.path === name)).toMatchObject({ change: "created" });
    await onHost(`rm "$1"`, name);
    await seen.see("file", (o) => o.path === name && o.change === "deleted");
  });

  test("leaves no process and no file, however the console ends", async () => {
    await seen.collector.stop();
    const files = () => onHost("find / -xdev -type f 2>/dev/null | grep -v '^/proc\\|^/sys\\|^/var/log' | sort; ls -A /tmp /run /dev/shm");
    const before = await files();
    const gone = (what: string) => until(async () => (await shells()) === 0, `no shell of ours after ${what}`, 60);
    await gone("stop");
    const one = await watch(runner);
    expect(await shells()).toBeGreaterThan(3);
    runner.clients.at(-1)?.kill("SIGKILL");
    await one.collector.ended;
    await gone("kill -9 of the console's ssh");
    const two = await watch(runner);
    runner.clients.at(-1)?.kill("SIGSTOP"); // no word comes, none is taken
    await gone("the console froze");
    runner.clients.at(-1)?.kill("SIGKILL");
    await two.collector.ended;
    for (const which of ["first", "last"]) {
      const three = await watch(runner);
      const { self } = three.collector.hello;
      const last = Math.max(
        ...three.of("process").flatMap(({ pid, facts }) => (facts.args?.join(" ").includes("IFS= read -r $w l;do") ? [pid] : [])),
      );
      await onHost(`kill -9 ${which === "first" ? self : last}`);
      await three.collector.ended;
      await gone(`kill -9 of its ${which} process`);
    }
    expect(await files()).toBe(before);
    seen = await watch(runner);
  });
});
