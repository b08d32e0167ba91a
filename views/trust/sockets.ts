import { inOrder, socketMark } from "#state/sockets";
import type { State } from "#state/state";
import { box, keyHint, type Overlay } from "../dialogs/box.ts";
import { processText, some } from "../facts/fact.ts";
import type { Picture } from "../picture.ts";
import { column, type Span, span, wrapText } from "../row.ts";
import { clock, plural } from "../words.ts";

const MOST_ROWS = 500;

/** Unix sockets with who holds them, as of the last time that somebody asked. */
export function socketsDialog({ theme, store }: Picture, size: { width: number; height: number }, scroll: number): Overlay {
  const { state } = store;
  const { sockets } = state;
  const width = Math.min(size.width - 4, 130);
  const inner = width - 4;
  const items = inOrder(sockets?.items ?? []);
  const rows = items.slice(0, MOST_ROWS).flatMap((socket): Span[][] => {
    const mark = socketMark(socket);
    const connections = socket.connections === 0 ? "" : ` ${theme.glyphs.dot} ${plural(socket.connections, "connection")}`;
    const about = `${holders(state, socket.processes)}${connections}${mark === undefined ? "" : ` ${theme.glyphs.dot} ${mark}`}`;
    return [
      [
        column(socket.listening ? "listens" : "bound", 9, mark === undefined ? "soft" : "warn"),
        { text: socket.path, style: mark === undefined ? "text" : "strong", flex: true, cut: "middle" },
      ],
      ...wrapText(about, inner - 9).map((text): Span[] => [column("", 9, "soft"), span(text, "soft")]),
    ];
  });
  const notes = sockets
    ? [
        ...(items.length === 0 ? ["No unix socket with a name was seen."] : []),
        `${plural(sockets.unnamed, "socket")} without a name; ${sockets.more + Math.max(0, items.length - MOST_ROWS)} more with one.`,
        ...(sockets.why === undefined ? [] : [sockets.why as string]),
        "Who is connected to whom is not looked at: only a module of the kernel tells, and none is loaded. What a name is for is told by the name.",
      ]
    : [store.meta.mode === "replay" ? "Nobody had asked for them yet." : "The host is being asked: no answer has come yet."];
  const head = sockets ? [[span(`as of ${clock(sockets.at)}, asked by ${sockets.analyst}`, "soft")], []] : [];
  const body = [
    [],
    ...head,
    ...rows,
    [],
    ...notes.flatMap((note) => wrapText(note, inner).map((text): Span[] => [span(text, "faint")])),
    [],
  ];
  const foot = [[...keyHint("Esc", "closes"), span("asking again makes it anew", "faint")]];
  return box(theme, { title: "Unix sockets", style: "focus", body, foot, width, height: size.height - 2, scroll });
}

type Holders = NonNullable<State["sockets"]>["items"][number]["processes"];
function holders(state: State, processes: Holders): string {
  if (processes.length === 0) return "nobody's descriptor of it was found";
  const name = ({ pid, entity_id, name: called }: Holders[number]) => {
    const process = entity_id === undefined ? undefined : state.processes.get(entity_id);
    return process ? processText(process) : called === undefined ? `pid ${pid}` : `${called} ${pid}`;
  };
  return some(processes.map(name), 6);
}
