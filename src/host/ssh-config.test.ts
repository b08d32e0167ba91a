import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { HostError } from "./errors.ts";
import { type HostSettings, resolveHost } from "./ssh-config.ts";
import { readConfigLines } from "./ssh-config-lines.ts";

let home = "";
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "ssh-config-"));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

function write(path: string, text: string): string {
  const file = join(home, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}
function resolved(text: string, alias = "web1", more: { user?: string; port?: number; system?: string } = {}): HostSettings {
  write(".ssh/config", text);
  const systemFile = write("system/ssh_config", more.system ?? "");
  return resolveHost(alias, { home, localUser: "jm", systemFile, user: more.user, port: more.port });
}

describe("which lines are in effect", () => {
  test("the first value wins, and IdentityFile collects", () => {
    const settings = resolved(
      "Host web*\n  User first\n  IdentityFile ~/.ssh/a\nHost *\n  User second\n  Port 2222\n  IdentityFile %d/.ssh/b-%h-%u-%r\n",
      "web1",
      { system: "Host *\n Port 99\n HostKeyAlias known" },
    );
    expect(settings).toMatchObject({ user: "first", port: 2222, hostKeyAlias: "known" });
    expect(settings.identityFiles).toEqual([join(home, ".ssh/a"), join(home, ".ssh/b-web1-jm-first")]);
  });

  test("the command line wins over every file", () => {
    expect(resolved("User file\nPort 1", "web1", { user: "me", port: 2 })).toMatchObject({ user: "me", port: 2 });
  });

  test("several patterns, with negation", () => {
    const text = "Host *.lan !db.lan jump?\n  User in\n";
    expect(resolved(text, "web.lan").user).toBe("in");
    expect(resolved(text, "db.lan").user).toBe("jm");
    expect(resolved(text, "jump1").user).toBe("in");
    expect(resolved(text, "jump12").user).toBe("jm");
  });

  test("quotes, equals signs, comments, letter case and DOS line ends", () => {
    const settings = resolved('hOsT "web1"   # ours\r\n\tHOSTNAME=10.0.0.%%\r\n  IdentityFile = "~/my keys/a b" # no\r\n  User="j m"\r\n');
    expect(settings).toMatchObject({ hostName: "10.0.0.%", user: "j m", identityFiles: [join(home, "my keys/a b")] });
  });

  test("HostName takes the alias for %h", () => {
    expect(resolved("HostName %h.example.com").hostName).toBe("web1.example.com");
  });

  test("without a word about it, ssh's defaults", () => {
    const settings = resolved("");
    expect(settings).toMatchObject({ hostName: "web1", user: "jm", port: 22, identitiesOnly: false, addressFamily: 0, notes: [] });
    expect(settings.userKnownHostsFiles).toEqual([join(home, ".ssh/known_hosts"), join(home, ".ssh/known_hosts2")]);
    expect(settings.identityFiles).toBeUndefined();
  });

  test("the rest of what we use", () => {
    const settings = resolved(
      "IdentitiesOnly yes\nUserKnownHostsFile ~/a /b\nGlobalKnownHostsFile none\nConnectTimeout 7\nIdentityAgent none\nAddressFamily inet6",
    );
    expect(settings).toMatchObject({
      identitiesOnly: true,
      userKnownHostsFiles: [join(home, "a"), "/b"],
      globalKnownHostsFiles: [],
      connectTimeoutMs: 7000,
      identityAgent: "none",
      addressFamily: 6,
    });
  });

  test("Match: host as it is so far, originalhost, user, localuser, negation, and the first value still wins", () => {
    const inEffect = (match: string, alias = "web1") =>
      resolved(`Host web1\n  HostName 10.0.0.9\nMatch ${match}\n  Port 2222`, alias).port === 2222;
    expect(inEffect("all")).toBe(true);
    expect(inEffect("host 10.0.0.*")).toBe(true);
    expect(inEffect("host web1")).toBe(false);
    expect(inEffect("originalhost web1,web2 user jm")).toBe(true);
    expect(inEffect("originalhost web1 user root")).toBe(false);
    expect(inEffect("!originalhost web1")).toBe(false);
    expect(inEffect("!localuser root")).toBe(true);
    expect(inEffect("host=10.0.0.9")).toBe(true);
    expect(resolved("User first\nMatch user first\n  User second\n  Port 7").user).toBe("first");
  });

  test("a Match that would run a command is skipped with a note, unless it does not hold anyway", () => {
    const settings = resolved('Match exec "true"\n  User no\nMatch host other exec "true"\n  User no\nMatch all\n  User yes\n');
    expect(settings.user).toBe("yes");
    expect(settings.notes).toEqual([expect.stringMatching(/config:1: this Match block is skipped: 'exec' runs a command/)]);
    expect(() => resolved("Match colour red\n  User x")).toThrow(/config:1: 'colour' is nothing that Match knows/);
    expect(() => resolved("Match host\n  User x")).toThrow(/config:1: Match host has no patterns/);
  });

  test("ProxyJump: one or several, with tokens; none, the command line and the first to speak win", () => {
    expect(resolved("ProxyJump bastion").jumps).toEqual([{ host: "bastion" }]);
    expect(resolved("HostName 10.0.0.9\nUser ops\nProxyJump jm@a:2222,ssh://b,%r@gw-%n").jumps).toEqual([
      { user: "jm", host: "a", port: 2222 },
      { host: "b" },
      { user: "ops", host: "gw-web1" },
    ]);
    expect(resolved("Host web1\n  ProxyJump none\nHost *\n  ProxyCommand nc %h %p").jumps).toEqual([]);
    expect(resolved("Host other\n  ProxyJump bastion").jumps).toEqual([]);
    const configFile = write("only", "ProxyCommand nc %h %p");
    expect(resolveHost("web1", { configFile, home, systemFile: "/dev/null", jump: "a,b" }).jumps).toEqual([{ host: "a" }, { host: "b" }]);
    expect(resolveHost("web1", { configFile, home, systemFile: "/dev/null", jump: "none" }).jumps).toEqual([]);
  });

  test("HashKnownHosts is heard", () => {
    expect(resolved("HashKnownHosts yes").hashKnownHosts).toBe(true);
    expect(resolved("HashKnownHosts no").hashKnownHosts).toBe(false);
    expect(resolved("").hashKnownHosts).toBeUndefined();
  });

  test("what is set and not used is told", () => {
    expect(resolved("BindAddress 10.0.0.9").notes).toEqual([expect.stringMatching(/config:1: bindaddress is not used/)]);
  });
});

describe("Include", () => {
  test("relative to ~/.ssh, by glob in order, and only where the block around it matches", () => {
    write(".ssh/conf.d/10-a", "User a");
    write(".ssh/conf.d/20-b", "User b\nPort 2020\nHost other\n  HostKeyAlias other");
    write(".ssh/conf.d/.hidden", "User hidden");
    const text = "Host elsewhere\n  Include conf.d/20-b\nHost web1\n  Include conf.d/*\n  HostKeyAlias mine\n";
    expect(resolved(text)).toMatchObject({ user: "a", port: 2020, hostKeyAlias: "mine" });
    expect(resolved(text, "nobody")).toMatchObject({ user: "jm", port: 22 });
  });

  test("a file that includes itself is an error with its line", () => {
    write(".ssh/loop", "User x\nInclude loop");
    expect(() => resolved("Include loop")).toThrow(/loop:2: Include comes back to/);
  });

  test("a chain that never ends is cut", () => {
    for (let i = 0; i < 20; i++) write(`.ssh/c${i}`, `Include c${i + 1}`);
    expect(() => resolved("Include c0")).toThrow(/c\d+:1: Include goes deeper than 16 files/);
  });

  test("one that names nothing is no error", () => {
    expect(resolved("Include nothing/*.conf\nUser me").user).toBe("me");
  });
});

describe("what is wrong is said with file and line", () => {
  test.each([
    ["\nPort 70000", /config:2: '70000' is not a port/],
    ["User", /config:1: User has no value/],
    ['User "jm', /config:1: a " is opened and not closed/],
    ["IdentitiesOnly maybe", /config:1: 'maybe' is not yes or no/],
    ["IdentityFile ~other/key", /config:1: .*only ~ for your own home/],
    ["IdentityFile /k/%Z", /config:1: .*cannot expand %Z/],
    ["ConnectTimeout soon", /config:1: 'soon' is not a number of seconds/],
    ["ProxyJump a,,b", /'' is not a host to connect to/],
    [
      "ProxyCommand nc -X 5 %h %p",
      /config:1: 'web1' is reached through a proxy command \('nc -X 5 %h %p'\), which this console does not run/,
    ],
  ])("%j", (text, message) => {
    let error: unknown;
    try {
      resolved(text);
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(HostError);
    expect(error).toMatchObject({ level: "config", message: expect.stringMatching(message), hint: expect.stringMatching(/./) });
  });

  test("a file that was named must be there", () => {
    expect(() => resolveHost("web1", { configFile: join(home, "none") })).toThrow(/does not exist/);
  });

  test("any text gives lines or a HostError", () => {
    const text = fc.string({ unit: fc.constantFrom(..."aH=\"'\\# \t\n*!") });
    fc.assert(
      fc.property(text, (config) => {
        try {
          for (const line of readConfigLines(config, "config")) expect(line.args.length).toBeGreaterThan(0);
        } catch (error) {
          expect(error).toBeInstanceOf(HostError);
        }
      }),
    );
  });

  test("arguments in quotes come back as they went in", () => {
    const word = fc.string({ unit: fc.constantFrom(..."ab #='\"\\"), minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 3 }), (args) => {
        const written = args.map((arg) => `"${arg.replace(/["\\]/g, "\\$&")}"`).join(" ");
        expect(readConfigLines(`Keyword ${written}`, "config")[0]?.args).toEqual(args);
      }),
    );
  });
});
