import { describe, expect, it } from "vitest";
import { facts, REQUEST } from "../../testing/facts.ts";
import { METHODS } from "../methods/methods.ts";
import { type IsolationPlan, planIsolation } from "../plan.ts";
import { ResponseRefused } from "../refused.ts";
import { judgeCut } from "./verify.ts";

const TOOLS = ["iptables-nft", "ip6tables-nft"].flatMap((tool) => [`${tool}-restore`, `${tool}-save`]);

function planned(): IsolationPlan {
  const host = facts({ ipv6: false });
  const method = METHODS.find(({ id }) => id === "iptables-nft");
  const plan = method && planIsolation({ ...host, tools: [...host.tools, ...TOOLS] }, REQUEST, method);
  if (!plan || plan instanceof ResponseRefused) throw plan ?? new Error("no such method");
  return plan;
}
const plan = planned();

/** The table raw as iptables-save -c lists it with ours in it; `before` stand before ours in OUTPUT, `after` behind. */
function listed({ before = [], after = [], without = "" }: { before?: string[]; after?: string[]; without?: string } = {}): string[] {
  const ours = plan.rules.split("\n").filter((line) => line.startsWith("-A ") && !(without !== "" && line.endsWith(without)));
  const rules = [`-A PREROUTING -j STAKEOUT_IN_${plan.nonce}`, ...before, `-A OUTPUT -j STAKEOUT_OUT_${plan.nonce}`, ...after, ...ours];
  return ["*raw", ":OUTPUT ACCEPT [7:420]", ...rules.map((rule) => `[0:0] ${rule}`), "COMMIT"];
}

function judged(first: string[], second: string[]) {
  const section = (name: string, lines: string[]) => `\n${plan.nonce} ${name}\n${lines.join("\n")}\n`;
  const output = section("v41", first) + section("v42", second) + section("established", []) + section("end", []);
  return judgeCut(plan, output, 1, true);
}

describe("the proof of a cut by iptables", () => {
  const another = ["-A OUTPUT -j STAKEOUT_OUT_aaaaaaaaaaaa"];
  it("holds while ours are the first and the same in both looks, whatever comes and goes behind them", () => {
    expect(judged(listed(), listed())).toMatchObject({ cut: true });
    expect(judged(listed({ after: another }), listed())).toMatchObject({ cut: true });
    expect(judged(listed(), listed({ after: ["-A OUTPUT -d 203.0.113.9/32 -j ACCEPT"] }))).toMatchObject({ cut: true });
  });

  it.each([
    ["somebody's rule comes before ours", listed(), listed({ before: another }), /not the first of OUTPUT/],
    ["it does in the first look alone", listed({ before: another }), listed(), /not the first of OUTPUT/],
    ["a rule of ours is gone", listed(), listed({ without: "-j DROP" }), /our rules were changed during the test/],
  ])("does not hold where %s", (_, first, second, error) => {
    expect(judged(first, second)).toMatchObject({ cut: false, error: expect.stringMatching(error) });
  });
});
