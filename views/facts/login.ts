import type { LoginState, State } from "#state/state";
import { suggestionFor } from "#state/suggestions";
import { standingStyle } from "../panes/tree-row.ts";
import { originText } from "../rows/origin.ts";
import { processName } from "../rows/standing.ts";
import { address, age, clock, loginCalled, network, place, plural, terminalName } from "../words.ts";
import { counted, type Fact, namesFact, uidText, unseenFact } from "./fact.ts";
import { traces } from "./process.ts";

export function loginFacts(state: State, id: string, now: number): Fact[] {
  const login = state.logins.get(id);
  if (!login) return [];
  const over = login.end === undefined ? `still in, ${age(login.start, now)}` : `left ${clock(login.end)}`;
  const names: string[] = [];
  let running = 0;
  for (const process of state.processes.values()) {
    if (process.login !== id) continue;
    names.push(processName(process));
    if (process.end === undefined) running++;
  }
  const { source } = login;
  const country = source?.geo?.country_name;
  const origins = [...state.origins.values()].filter((origin) => origin.login === id).slice(-12);
  const suggestion = suggestionFor(state, id);
  return [
    {
      label: "login",
      text: `${loginCalled(login)}${login.ours ? " (this console)" : ""}`,
      style: standingStyle(login.standing),
    },
    { label: "since", text: `${clock(login.start)}, ${over}, active ${age(login.active, now)} ago` },
    { label: "ran", text: `${plural(login.processes, "process", "processes")}, ${running} of them now` },
    ...(source
      ? [
          {
            label: "from",
            text: [address(source), place(source), country, network(source)].filter(Boolean).join(", "),
            style: "place" as const,
          },
          namesFact(state, source.ip),
        ]
      : [{ label: "from", text: login.type === "sshd" ? "address not seen" : `no network: ${login.type}` }]),
    ...howFacts(login),
    { label: "tty", text: login.ttys.map(terminalName).join(" ") || "none: commands without a terminal" },
    { label: "user", text: login.user?.id === undefined ? "uid not seen" : uidText(state, Number(login.user.id)) },
    {
      label: "standing",
      text: login.standing === "unknown" ? "unknown: nobody has judged it" : login.standing,
      style: standingStyle(login.standing),
    },
    ...origins.map((origin) => ({ label: "began", text: originText(state, origin), style: "warn" as const })),
    ...(suggestion ? [{ label: "ours?", text: suggestion.reasons.join(", ") }] : []),
    ...unseenFact(state.processes.get(id)?.unseen),
    ...traces(state, (process) => process !== undefined && state.processes.get(process)?.login === id),
    ...(names.length > 0 ? [{ label: "programs", text: counted(names, 30) }] : []),
  ];
}

/** What the host says of a login beside its socket: root can forge all of it. */
function howFacts({ info }: LoginState): Fact[] {
  if (!info) return [];
  const { method, key, from, audit, contradicts } = info;
  return [
    ...(method === undefined
      ? []
      : [{ label: "by", text: `${[method, key].filter(Boolean).join(" ")} (${from.join(" and ")}: root can forge it)` }]),
    ...(audit
      ? [{ label: "audit", text: `login uid ${audit.loginuid ?? "not set"}, session ${audit.session ?? "not set"} (root can forge it)` }]
      : []),
    ...(contradicts ? [{ label: "but", text: contradicts.join("; "), style: "bad" as const }] : []),
  ];
}
