import { encodeHostString } from "#model/host-string";
import type { CommandState } from "#state/decided-state";
import { outcomeOf } from "#state/words";
import { box, keyHint, type Overlay } from "../dialogs/box.ts";
import { fieldSpans } from "../field.ts";
import type { Picture } from "../picture.ts";
import { hardWrap, type Span, span, wrapText } from "../row.ts";
import { bytes, clock, stretch } from "../words.ts";
import type { CommandDialog } from "./dialog.ts";

interface Size {
  width: number;
  height: number;
}

/** The line for a command, or what one wrote. */
export function commandDialog(screen: Picture, size: Size, dialog: CommandDialog): Overlay {
  return dialog.kind === "compose-command" ? lineDialog(screen, size, dialog.text) : outputDialog(screen, size, dialog);
}

function lineDialog({ theme, store }: Picture, size: Size, text: string): Overlay {
  const width = Math.min(size.width - 4, 110);
  const says = [
    "It runs as this console does, by /bin/sh in a clean environment: no profile, no history, no terminal, nothing to type into. What it does is",
    "up to the command: one that writes, writes. Command, output and how it ended are recorded; both analysts see them.",
  ].join(" ");
  const body: Span[][] = [
    [],
    [span("# ", "warn"), ...fieldSpans(theme, text, width - 6, "ss -tnp, cat /etc/passwd, ls -la /tmp")],
    [],
    ...wrapText(says, width - 4).map((line): Span[] => [span(line, "soft")]),
    [],
  ];
  const foot = [[...keyHint("Enter", `runs it on ${store.meta.hostLabel}`, text.trim() !== ""), ...keyHint("Esc", "cancels")]];
  return box(theme, { title: "Run on the host, recorded", style: "focus", body, foot, width, height: size.height });
}

function outputDialog({ theme, store, keymap }: Picture, size: Size, dialog: CommandDialog & { kind: "commands" }): Overlay {
  const width = Math.min(size.width - 4, 160);
  const all = [...store.state.commands.values()];
  const command = all.at(-1 - dialog.back);
  const running = command !== undefined && command.end === undefined;
  const body: Span[][] = [[], ...(command ? told(command, store.now(), width - 4) : nothing(width - 4, keymap.label("run"))), []];
  const foot = [
    [
      ...keyHint("Esc", "closes"),
      ...(all.length > 1 ? keyHint("← →", `${all.length - dialog.back} of ${all.length}`) : []),
      ...(running ? keyHint("x", "ends it") : []),
      ...(command
        ? [
            span(
              width >= 100 ? "both outputs, as they came; control characters are shown as ·" : "as it came, · for control characters",
              "faint",
            ),
          ]
        : []),
    ],
  ];
  return box(theme, { title: "Run on the host", style: "focus", body, foot, width, height: size.height - 2, scroll: dialog.scroll });
}

const nothing = (width: number, key: string): Span[][] => [
  [span("No command was run yet.", "text")],
  ...wrapText(`What you run on the host with ${key} is recorded, and what it writes stands here, for both analysts.`, width).map((text) => [
    span(text, "soft"),
  ]),
];

function told(command: CommandState, now: number, width: number): Span[][] {
  const { line, analyst, start, end, output, file } = command;
  const how =
    end === undefined ? `running for ${stretch(Math.max(0, now - start))}` : `${outcomeOf(command)}, after ${stretch(end - start)}`;
  const size = command.bytes === undefined ? "" : `, ${bytes(command.bytes)}`;
  const lines = (output ?? "").split("\n");
  if (lines.at(-1) === "") lines.pop();
  const partly = encodeHostString(output ?? "").length < (command.bytes ?? 0) ? "; this is its beginning" : "";
  return [
    ...hardWrap(`# ${line}`, width).map((text): Span[] => [span(text, "strong")]),
    [span(`${analyst} at ${clock(start)}: ${how}${size}`, command.exit_code === 0 ? "soft" : end === undefined ? "soft" : "warn")],
    ...(file === undefined ? [] : [[span(`whole in ${file} of the session's folder${partly}`, "faint")]]),
    [],
    ...lines.flatMap((text) =>
      hardWrap(text.replaceAll("\t", "    "), width).map((part): Span[] => [{ text: part, style: "text", flex: true }]),
    ),
    ...(end !== undefined && lines.length === 0 ? [[span("It wrote nothing.", "soft")]] : []),
  ];
}
