import { again, CHAIN_IN, CHAIN_OUT, CLAIMED, claiming, removeChains, restoreText, taking, toolOf } from "./iptables-rules.ts";
import type { BuiltMethod, Counts, Judgement, Method } from "./method.ts";
import { bounded } from "./shell-words.ts";

/** How long he who was first in IPv4 waits for the other to give way in IPv6, in looks 0.05 s apart. */
const LOOKS = 60;

/** `iptables`, `iptables-nft` or `iptables-legacy`: the same text for each, through its own restore and save. */
function iptablesMethod(variant: string, title: string): Method {
  const tool = (kind: 4 | 6, what: "restore" | "save") => toolOf(variant, kind, what);
  return {
    id: variant,
    title,
    unusable(facts) {
      const missing = [tool(4, "restore"), tool(4, "save"), ...(facts.ipv6 ? [tool(6, "restore"), tool(6, "save")] : [])].filter(
        (name) => !facts.tools.includes(name),
      );
      return missing.length > 0 ? `the host has no ${missing.join(", ")}` : undefined;
    },
    build(input, facts): BuiltMethod {
      const bound = bounded(facts.tools.includes("timeout"), 5);
      const kinds: (4 | 6)[] = facts.ipv6 ? [4, 6] : [4];
      const { nonce } = input;
      const claimed = (kind: 4 | 6) => facts.claims.find((claim) => claim.variant === variant && claim.kind === kind);
      const rules = kinds.map((kind) => ({ kind, text: restoreText(input, kind, claiming(nonce, claimed(kind))) }));
      const fed = (kind: 4 | 6, text: string, flags = "") =>
        `${bound}${tool(kind, "restore")} ${flags}--noflush 2>&1 <<'${nonce}'\n${text}${nonce}`;
      const save = (kind: 4 | 6, flags = "") => `${bound}${tool(kind, "save")} ${flags}-t raw`;
      const away = (kind: 4 | 6) => removeChains(variant, nonce, kind);
      const revert = kinds.map(away).join("; ");
      const known = [nonce, ...(input.existing?.iptables ?? []).map((found) => found.nonce)];
      const others = (kind: 4 | 6) =>
        `${save(kind)} 2>/dev/null | grep '^:${CHAIN_IN}' | grep -qv${known.map((one) => ` -e ${CHAIN_IN}${one}`).join("")}`;
      const cameFirst = `{ ${others(4)} && echo 'File exists: another isolation came meanwhile'; (exit 1); }`;
      const [four, six] = [rules[0] as { kind: 4 | 6; text: string }, rules[1]];
      return {
        check: `{ ${rules.map(({ kind, text }) => fed(kind, text, "--test ")).join("\n} && { ")}\n} || ${cameFirst}`,
        // both families at once: one after the other, the second would go on for as long as the first takes
        apply: [
          ...(six ? [`six() {\n${fed(6, restoreText(input, 6, taking(nonce)))}\n}\n{ ${fed(6, six.text)}\n} & p=$!`] : []),
          fed(four.kind, four.text),
          `c=$?; ${six ? "wait $p; v6=$?" : ""}`,
          // of two at once, he who was second gives way, in both families
          `[ $c != 0 ] || case $(${save(4)} 2>/dev/null | grep -m 1 -e '${CLAIMED.trimEnd()}') in ''|*' ${nonce}') ;; *) c=1;; esac`,
          ...(six ? [untilFirst(`${save(6)} 2>/dev/null | grep -m 1 -e '^-A OUTPUT '`, others(6), nonce)] : []),
          `[ $c = 0 ] || { { ${revert}; } 2>/dev/null; ${cameFirst}; }`,
        ].join("\n"),
        reapply: `c=0\n${kinds.map((kind) => `{ ${fed(kind, restoreText(input, kind, again(nonce)))}\n} || { ${away(kind)}; ${fed(kind, restoreText(input, kind, []))}\n} || c=$?`).join("\n")}\n(exit $c)`,
        intact: kinds
          .map(
            (kind) =>
              `${save(kind)} | { p= o=; while read -r l; do case $l in "-A PREROUTING "*) [ -n "$p" ] || echo "$l"; p=1;; "-A OUTPUT "*) [ -n "$o" ] || echo "$l"; o=1;; *_${nonce}*) echo "$l";; esac; done; }`,
          )
          .join("; "),
        stands: `${save(4)} 2>/dev/null | grep -q -e "-j ${CHAIN_OUT}${nonce}"`,
        revert,
        look: kinds.map((kind) => `s v${kind}$1; ${save(kind, "-c ")} 2>&1`).join("; "),
        rules: rules.map(({ kind, text }) => `# ${tool(kind, "restore")} --noflush\n${text}`).join(""),
        leaks: [
          `raw frames (AF_PACKET), ARP and every protocol that is not IP${facts.ipv6 ? "" : " of version 4"}: iptables does not see them`,
          "frames that a bridge of the host hands from one of its ports to another",
        ],
        devices: [],
      };
    },
    judge: (plan, get) => judge(plan, get),
  };
}

/**
 * For him who has won IPv4 (`c` is 0): where the other was the first in IPv6 (`v6` is not 0) he loads his own all the same, and waits until
 * nobody's chain is before it. Where there is no other, two more tries are enough.
 */
function untilFirst(first: string, others: string, nonce: string): string {
  const ahead = `case $(${first}) in *${CHAIN_OUT}${nonce}) false;; *" ${CHAIN_OUT}"*) ;; *) false;; esac`;
  return `i=0; while [ $c = 0 ] && { [ $v6 != 0 ] || ${ahead}; } && [ $i -lt ${LOOKS} ]; do
${others} || i=$((i+${LOOKS / 2}))
[ $v6 = 0 ] || { six; v6=$?; }; sleep 0.05 2>/dev/null || sleep 1; i=$((i+1))
done
[ $v6 = 0 ] || c=1`;
}

/** Variants by name before the host's default: which one a plain `iptables` is, differs. */
export const IPTABLES: readonly Method[] = [
  iptablesMethod("iptables-nft", "iptables and ip6tables (nft), one transaction each"),
  iptablesMethod("iptables-legacy", "iptables and ip6tables (legacy), one transaction each"),
  iptablesMethod("iptables", "iptables and ip6tables, one transaction each"),
];

export const VARIANTS = IPTABLES.map((method) => method.id);

function judge(plan: { rules: string; nonce: string }, get: (section: string) => string): Judgement {
  const wrong: string[] = [];
  const counts: Counts = { analysts: 0, neighbours: 0, servers: 0, droppedOut: 0, droppedIn: 0 };
  const kinds: (4 | 6)[] = plan.rules.includes("ip6tables") ? [4, 6] : [4];
  for (const kind of kinds) {
    const listed = get(`v${kind}`).split("\n");
    const text = plan.rules.split(/^# /m)[kinds.indexOf(kind) + 1] ?? "";
    const ours = new RegExp(`^-A (?:${CHAIN_IN}|${CHAIN_OUT})${plan.nonce} `);
    const wanted = text.split("\n").filter((line) => ours.test(line));
    const rules = listed.map((line) => /^\[(\d+):\d+\] (-A .*)$/.exec(line)).filter((m) => m !== null);
    const mine = rules.filter((m) => ours.test(m[2] as string));
    const family = `IPv${kind}`;
    if (mine.map((m) => m[2]).join("\n") !== wanted.join("\n"))
      wrong.push(`our ${family} chains are not in the kernel as they were loaded`);
    for (const [hook, name] of [
      ["PREROUTING", CHAIN_IN],
      ["OUTPUT", CHAIN_OUT],
    ] as const) {
      const first = rules.find((m) => (m[2] as string).startsWith(`-A ${hook} `))?.[2];
      if (first !== `-A ${hook} -j ${name}${plan.nonce}`) wrong.push(`our ${family} chain is not the first of ${hook}`);
    }
    for (const m of mine) {
      const [packets, rule] = [Number(m[1]), m[2] as string];
      const out = rule.startsWith(`-A ${CHAIN_OUT}`);
      if (rule.endsWith("-j DROP")) counts[out ? "droppedOut" : "droppedIn"] += packets;
      else if (out && / --sport (?!68|546)/.test(rule)) counts.analysts += packets;
      else if (out && / -p tcp .* --dport /.test(rule)) counts.servers += packets;
      else if (out && !rule.includes(" -o lo ")) counts.neighbours += packets;
    }
  }
  return { wrong, counts };
}
