import { expect, test } from "vitest";
import type { EventDraft } from "#model/event";
import { emptyState } from "#state/create";
import { namesWords } from "#state/names";
import { reduce } from "#state/reduce";
import { teller } from "#testing/events";
import { type AskNames, Names } from "./names.ts";

/** A desk whose resolver is `ask`, and what its answers make of the state. */
function desk(ask: AskNames | undefined) {
  const [state, tell, drafts] = [emptyState(), teller(), [] as EventDraft[]];
  const append = (draft: EventDraft) => {
    drafts.push(draft);
    reduce(state, tell(draft as Parameters<typeof tell>[0]));
  };
  const names = new Names({ ask, append, hostNow: () => "2026-01-01T00:00:00.000000Z", changed: () => {} });
  return { names, drafts, words: (ip: string) => namesWords(state.names.get(ip)) };
}

test("a name is asked for once at a time, is recorded with who asked, and is told as its owner's word", async () => {
  const answer = Promise.withResolvers<string[]>();
  const asked: string[] = [];
  const { names, drafts, words } = desk((ip) => {
    asked.push(ip);
    return answer.promise;
  });
  expect(words("203.0.113.9")).toBe("not asked for");
  const first = names.ask("203.0.113.9", "jm");
  expect(await names.ask("203.0.113.9", "kim")).toMatch(/already/);
  answer.resolve(["mail.example", ...Array.from({ length: 40 }, (_, i) => `${i}.example`)]);
  expect(await first).toBeUndefined();
  expect(asked).toEqual(["203.0.113.9"]);
  expect(drafts).toEqual([
    expect.objectContaining({
      event: { action: "network.names", category: ["network"], type: ["info"] },
      destination: { ip: "203.0.113.9" },
      stakeout: expect.objectContaining({ analyst: "jm", names: { items: expect.arrayContaining(["mail.example"]) } }),
    }),
  ]);
  expect(words("203.0.113.9")).toMatch(/^mail\.example, 0\.example, .*14\.example \(by whoever owns the address; asked by jm\)$/);
});

test("no name is not the same as no answer, and neither as nobody to ask", async () => {
  const none = desk(() => Promise.resolve([]));
  await none.names.ask("203.0.113.9", "jm");
  expect(none.words("203.0.113.9")).toBe("none (asked by jm)");
  const silent = desk(() => Promise.reject(new Error("the resolver gave no answer: ETIMEOUT")));
  await silent.names.ask("203.0.113.9", "jm");
  expect(silent.words("203.0.113.9")).toBe("not known: the resolver gave no answer: ETIMEOUT");
  const nobody = desk(undefined);
  expect(await nobody.names.ask("203.0.113.9", "jm")).toMatch(/cannot ask/);
  expect(nobody.drafts).toEqual([]);
});
