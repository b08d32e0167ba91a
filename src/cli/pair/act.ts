import type { SharedIntent } from "#commands/intent";
import { printable } from "#model/host-string";
import type { Live } from "../live.ts";

/** Does what `analyst` asked for at `seat`. `refused` is told why it was not done, where nothing else on the screen says so. */
export function act(
  live: Live,
  seat: string,
  analyst: string,
  intent: Exclude<SharedIntent, { kind: "report" | "quit" | "open-door" | "close-door" }>,
  refused: (why: string) => void,
): void {
  const { investigation, party, link } = live;
  const answer = (why: string | undefined) => {
    if (why !== undefined) refused(why);
  };
  const before = investigation.state.sequence;
  /** A decision changes what the others see: they are told what it was, and whose. */
  const decided = (why?: string) => {
    if (why !== undefined) return refused(why);
    const done = investigation.state.analysts.get(analyst)?.acts.at(-1);
    if (done && done.sequence > before) party.did(intent.kind === "claim" ? undefined : seat, analyst, done);
  };
  switch (intent.kind) {
    case "tag":
      return decided(investigation.tags.tag(intent, analyst));
    case "untag":
      return decided(investigation.tags.untag(intent.tag, analyst));
    case "undo-tag":
      return decided(investigation.tags.undo(analyst));
    case "redo-tag":
      return decided(investigation.tags.redo(analyst));
    case "restore-tag":
      return decided(investigation.tags.restore(intent.tag, analyst));
    case "accept":
      return answer(live.profiles.accept(intent.suggestions, analyst));
    case "run":
      party.tellOthers(seat, `${analyst} runs a command on the host: ${printable(intent.line)}`);
      return void investigation.commands.run(intent.line, analyst).then((ran) => answer(typeof ran === "string" ? ran : ran.error));
    case "stop-command":
      return answer(investigation.commands.stop(intent.command));
    case "card":
      party.rename(intent.card.analyst);
      return investigation.takeCard(intent.card);
    case "plan":
      if (intent.measure) void investigation.planMeasure(intent.measure, analyst, intent.reason ?? "").then(answer);
      else if (intent.response === "isolate" || intent.response === "release")
        void investigation.planResponse(intent.response, analyst, intent.reason ?? "").then(answer);
      return;
    case "adjust":
      return void investigation.responses.adjust(intent.response, analyst, intent.choice).then(answer);
    case "rehearse":
      return void investigation.responses.rehearse(intent.response, analyst).then(answer);
    case "grab":
      return void investigation.responses.grab(intent.response).then(answer);
    case "check":
      return void investigation.check(analyst).then(answer);
    case "confirm":
      return void investigation.responses
        .confirm(intent.response, intent.plan_sha256, analyst, { alone: intent.alone === true })
        .then(answer);
    case "dismiss":
      return answer(investigation.responses.dismiss(intent.response, analyst));
    case "ask-sockets":
      return answer(investigation.askSockets(analyst));
    case "ask-names":
      return void investigation.names.ask(intent.ip, analyst).then(answer);
    case "note":
      return decided(investigation.people.note(analyst, intent.text, intent.on));
    case "claim":
      investigation.people.claim(analyst, intent.subject, intent.claim);
      return decided();
    case "dismiss-findings":
      return decided(investigation.findings.dismiss(intent.findings, intent.reason, analyst));
    case "restore-findings":
      return decided(investigation.findings.restore(intent.findings, analyst));
    case "undo-findings":
      return decided(investigation.findings.undo(analyst));
    case "two-people":
      return answer(investigation.setTwoPeople(intent.on, analyst));
    case "hand-over":
      return answer(party.handOver(seat, intent.to));
    case "look":
    case "follow-partner":
    case "lead":
    case "point":
    case "chat":
      return answer(party.present(seat, intent));
    case "reconnect":
      return answer(intent.on ? link.tryNow() : link.stop(analyst));
    case "play":
    case "seek":
    case "speed":
      return; // the registry offers these in a replay alone
  }
}
