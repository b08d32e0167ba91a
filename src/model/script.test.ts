import { expect, test } from "vitest";
import { scriptOf } from "./script.ts";

test.each<[string, string, string | undefined]>([
  ["/usr/bin/dash", "sh /tmp/x.sh -c a", "/tmp/x.sh"],
  ["/usr/bin/bash", "bash -eux ./x.sh", "/home/dev/x.sh"],
  ["/usr/bin/bash", "bash -o pipefail -e ../x", "/home/x"],
  ["/usr/bin/bash", "bash +o posix -- -x", "/home/dev/-x"],
  ["/usr/bin/bash", "bash --rcfile /tmp/rc /tmp/x", "/tmp/x"],
  ["/usr/bin/bash", "bash --norc --login /tmp/x", "/tmp/x"],
  ["/usr/bin/bash", "bash -lc /tmp/x", undefined],
  ["/usr/bin/bash", "-bash", undefined],
  ["/usr/bin/bash", "bash -s /tmp/x", undefined],
  ["/usr/bin/bash", "bash /dev/fd/63", undefined],
  ["/usr/bin/perl", "perl -w /opt/x.pl a", "/opt/x.pl"],
  ["/usr/bin/perl", "perl -I lib -MPOSIX x.pl", "/home/dev/x.pl"],
  ["/usr/bin/perl", "perl -i.bak -ne print /etc/passwd", undefined],
  ["/usr/bin/perl5.36", "perl -lane print /etc/passwd", undefined],
  ["/usr/bin/perl", "perl -Mstrict -E 1 /etc/passwd", undefined],
  ["/usr/bin/python3.11", "python3 -u -W ignore /dev/shm/.a.py", "/dev/shm/.a.py"],
  ["/usr/bin/python3.11", "python3 -Wignore x.py", "/home/dev/x.py"],
  ["/usr/bin/python3", "python3 -m http.server 9090", undefined],
  ["/usr/bin/python3", "python3 -Sc 1 /tmp/x", undefined],
  ["/usr/bin/python3", "python3 -", undefined],
  ["/usr/bin/node", "node --require ./a.js --inspect b.js", "/home/dev/b.js"],
  ["/usr/bin/node", "node --eval 1 b.js", undefined],
  ["/usr/bin/php8.2", "php -d a=b -f /var/www/x.php", "/var/www/x.php"],
  ["/usr/bin/php", "php -r 1; /tmp/x", undefined],
  ["/bin/busybox", "sh /tmp/x", "/tmp/x"],
  ["/bin/busybox", "busybox ash -x /tmp/x", "/tmp/x"],
  ["/bin/busybox", "busybox cat /tmp/x", undefined],
  // what a program calls itself is its own affair
  ["/usr/bin/cat", "sh /tmp/x", undefined],
  ["/tmp/x", "bash /tmp/y", undefined],
])("%s called as %s runs %s", (executable, line, script) => {
  expect(scriptOf(executable, line.split(" "), "/home/dev")).toBe(script);
});

test("what is not known is not guessed", () => {
  expect(scriptOf("/usr/bin/bash", undefined, "/")).toBeUndefined();
  expect(scriptOf(undefined, ["bash", "/tmp/x"], "/")).toBeUndefined();
  expect(scriptOf("/usr/bin/bash", ["bash", "x"], undefined)).toBeUndefined();
  expect(scriptOf("/usr/bin/bash", ["bash", "/a/../tmp//x"], undefined)).toBe("/tmp/x");
  expect(scriptOf("/usr/bin/bash", ["bash", ...Array.from({ length: 100 }, () => "-x"), "/tmp/x"], "/")).toBeUndefined();
});
