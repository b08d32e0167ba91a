import { expect, test } from "vitest";
import { Screen } from "#draw/screen";
import { makeTheme } from "#draw/theme";
import { Replay } from "#investigation/replay";
import { NIGHT } from "#testing/recorded-night";
import { replayStore } from "./replay-store.ts";

const nothing = () => {};

/** A screen on the recorded night. */
async function onTheNight() {
  const replay = await Replay.load(`${NIGHT}/events.jsonl`, (broken) => {
    throw new Error(JSON.stringify(broken));
  });
  const { store } = replayStore(replay, "devbox", NIGHT, { quit: nothing, report: nothing });
  const screen = new Screen(store, makeTheme("none"), 120, 40);
  const search = async (words: string) => {
    const before = store.message;
    store.propose({ kind: "seek", to: { words, direction: 1 } });
    await expect.poll(() => store.message !== before && store.message?.text, { timeout: 60_000 }).toMatch(/^(found at|nothing )/);
    screen.frame();
    const { pane, cursors } = screen.state;
    return { said: screen.message?.text ?? "", pane, key: cursors[pane].key };
  };
  return { replay, screen, search };
}

test("a search in a replay takes the cursor to what it found; what tags hide is named and said to be hidden", async () => {
  const { replay, screen, search } = await onTheNight();
  const first = await search("process.start zfneolx --quiet");
  const found = replay.state.processes.get(first.key?.slice(2) ?? "");
  expect([first.pane, found?.args?.join(" ")]).toEqual(["tree", expect.stringContaining("zfneolx")]);
  screen.keys([{ name: "0", text: "0" }]);
  expect(await search("network.start china")).toMatchObject({ pane: "connections" });
  screen.keys([{ name: "0", text: "0" }]);
  expect(await search("file.creation zfneolx")).toMatchObject({ pane: "binaries", key: "b:/dev/shm/zfneolx" });
  screen.keys([{ name: "0", text: "0" }]);
  const hidden = await search("process.start lsof");
  expect(hidden.said).toMatch(/^found at [\d:]+: process\.start .*lsof.*\(it is not shown: tags may hide it, T shows what they hide\)/);
  replay.close();
  screen.close();
});
