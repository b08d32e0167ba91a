import { type Keeps, parseAllowed } from "#model/measure";
import type { ResponseProgress } from "#model/response-progress";
import { edited } from "./field.ts";
import type { Key } from "./keys.ts";
import type { Handled, ScreenState } from "./screen-state.ts";

/** The longest IPv6 address, in brackets, with a port. */
const LONGEST = 60;

/** A key that changes how an isolation is wanted, or what is done before it; undefined for any other. `own`: who is at this screen. */
export function choiceKey(state: ScreenState, dialog: ResponseProgress, key: Key, own: string | undefined): Handled | undefined {
  const { choice, before, id: response } = dialog;
  if (!choice || !before || !["+", "-", "v", "r", "g", "f"].includes(key.name)) return undefined;
  if (own !== undefined && own !== dialog.by) return { state, notice: `it is ${dialog.by}'s plan: ask for the change` };
  // what a key changes is told at the top: who has read on to the script must see that something happens
  const read = { ...state, planScroll: 0 };
  const adjust = (change: Partial<typeof choice>): Handled => ({
    state: read,
    intent: { kind: "adjust", response, choice: { ...choice, ...change } },
  });
  switch (key.name) {
    case "+":
      return { state: { ...state, allowing: "" } };
    case "-": {
      const last = choice.servers.length > 0;
      if (!last && choice.logins.length === 0) return { state, notice: "no address was added" };
      return adjust(last ? { servers: choice.servers.slice(0, -1) } : { logins: choice.logins.slice(0, -1) });
    }
    case "v":
      return keepsKey(dialog, choice.keeps, adjust);
    case "f":
      if (before.suspects.length === 0) return { state, notice: "nobody is tagged intruder or suspect: there is nobody to suspend" };
      return adjust({ freeze: !choice.freeze });
    case "r":
      if (before.rehearsal === undefined) return { state, notice: "this method cannot be rehearsed: only nft counts without cutting" };
      return { state: read, intent: { kind: "rehearse", response } };
    default:
      return { state: read, intent: { kind: "grab", response } };
  }
}

const NEXT: Record<Keeps, Keeps> = { stays: "reverts", reverts: "boot", boot: "stays" };

/** What is not to be had on this host is passed over, and it is said why. */
function keepsKey({ noBoot }: ResponseProgress, keeps: Keeps, adjust: (change: { keeps: Keeps }) => Handled): Handled {
  const next = NEXT[keeps];
  if (next !== "boot" || noBoot === undefined) return adjust({ keeps: next });
  return { ...adjust({ keeps: NEXT[next] }), notice: `not through a reboot: ${noBoot}` };
}

/** A key while an address is typed that is to be let through. */
export function allowingKey(state: ScreenState, text: string, dialog: ResponseProgress, key: Key): Handled {
  const { allowing: _, ...closed } = state;
  if (key.name === "escape" || key.name === "ctrl-c" || !dialog.choice) return { state: closed };
  if (key.name !== "enter") {
    const typed = edited(text, key, LONGEST);
    return typed === undefined ? { state } : { state: { ...state, allowing: typed } };
  }
  const allowed = parseAllowed(text);
  if (!allowed) return { state, notice: "that is no address: 192.0.2.9, 192.0.2.9:443 or [2001:db8::9]:443" };
  const { ip, port } = allowed;
  const { logins, servers } = dialog.choice;
  const choice =
    port === undefined
      ? { ...dialog.choice, logins: [...logins, ip].slice(-16) }
      : { ...dialog.choice, servers: [...servers, { ip, port }].slice(-16) };
  return { state: closed, intent: { kind: "adjust", response: dialog.id, choice } };
}
