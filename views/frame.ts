import { PANES, type PaneName } from "#commands/pane";
import type { State } from "#state/state";
import { aboutDialog } from "./dialogs/about.ts";
import { leaveDialog, nameFilterDialog, searchDialog } from "./dialogs/ask.ts";
import type { Overlay } from "./dialogs/box.ts";
import { cardDialog } from "./dialogs/card.ts";
import { helpDialog } from "./dialogs/help.ts";
import { measuresDialog } from "./dialogs/measures.ts";
import { paletteDialog } from "./dialogs/palette.ts";
import { reasonDialog } from "./dialogs/reason.ts";
import { responseDialog } from "./dialogs/response.ts";
import { sightDialog } from "./dialogs/sight.ts";
import { filterRow } from "./filter/line.ts";
import { commandDialog } from "./host/command-dialog.ts";
import { LARGEST, type Layout, layout, type Rect, SMALLEST } from "./layout.ts";
import { pairDialog } from "./pair/dialogs.ts";
import { secondWords } from "./pair/second.ts";
import { blindLine, footerLine } from "./panes/footer.ts";
import { header } from "./panes/header.ts";
import { listHeight, listPlace, paintPane } from "./panes/pane.ts";
import { scrubberLine } from "./panes/scrubber.ts";
import { tabsLine } from "./panes/tabs.ts";
import type { Picture } from "./picture.ts";
import { paintRow } from "./row.ts";
import type { LocalDialog } from "./screen-state.ts";
import { footprintDialog } from "./tags/footprint-dialog.ts";
import { tagsDialog } from "./tags/list-dialog.ts";
import { tagDialog } from "./tags/tag-dialog.ts";
import type { Theme } from "./theme.ts";
import { tourOverlay } from "./tour.ts";
import { trustDialog } from "./trust/dialogs.ts";

/** Painted rows and where they stand; later blocks lie over earlier ones. */
export interface Block extends Rect {
  id: string;
  /** Of a pane with a drawing: where in it the list begins, under the title. */
  list?: { x: number; y: number };
  rows: readonly string[];
}
export interface Frame {
  width: number;
  height: number;
  blocks: readonly Block[];
}

/** A number for each pane. */
const ofPanes = <T>(each: (pane: PaneName) => T) => Object.fromEntries(PANES.map(({ name }) => [name, each(name)])) as Record<PaneName, T>;

/** Rows that the list of each pane shows at this size. */
export function paneSizes(screen: Picture, columns: number, rows: number): Record<PaneName, number> {
  const place = placeOf(screen, columns, rows);
  const lists = screen.lists();
  return ofPanes((pane) => listHeight(pane, place?.panes[pane] ?? { width: columns, height: 2 }, lists[pane].length, screen.state.zoomed));
}

function placeOf(screen: Picture, columns: number, rows: number): Layout | undefined {
  const lists = screen.lists();
  // an empty pane teaches what would be there: in three lines where it is narrow
  const need = ofPanes((pane) => (lists[pane].length === 0 ? 3 : Math.max(2, lists[pane].length)));
  const { pane: focus, zoomed } = screen.state;
  return layout(columns, rows, { focus, zoomed, need, replay: screen.store.meta.replay !== undefined });
}

/** The whole screen at this size: only rows that are seen are formatted. */
export function paintFrame(screen: Picture, columns: number, rows: number): Frame {
  const place = placeOf(screen, columns, rows);
  if (!place) return tooSmall(screen.theme, columns, rows, screen.store.state);
  const { store, state } = screen;
  // a tour is given on the screen as it is
  const overlayOpen = store.dialog !== undefined || (state.dialog !== undefined && state.dialog.kind !== "tour");
  const theme = overlayOpen ? screen.theme.muted : screen.theme;
  const now = store.now();
  const { selection } = screen.context();
  const lists = screen.lists();
  const counts = { ...ofPanes((pane) => lists[pane].length), tree: screen.live };
  const blocks: Block[] = [
    // the header stays in its colours behind a dialog: whether the host is isolated is never a detail
    {
      id: "header",
      ...place.header,
      rows: header(screen.theme, place.width, store.state, store.meta, now, {
        presence: store.company?.presence,
        findingsKey: screen.keymap.label("findings"),
        running: store.dialog,
      }),
    },
    { id: "tabs", ...place.tabs, rows: [tabsLine(theme, place.width, { focus: state.pane, zoomed: state.zoomed, counts })] },
    ...PANES.flatMap(({ name }): Block[] => {
      const rect = place.panes[name];
      return rect
        ? [{ id: name, ...rect, list: listPlace(name, rect, lists[name].length, state.zoomed), rows: paintPane(screen, theme, rect, name) }]
        : [];
    }),
    {
      id: "detail",
      ...place.detail,
      rows: screen.details.rows(theme, screen.seen, selection, screen.seenNow, { ...place.detail, as: place.detailAs }),
    },
    { id: "blind", ...place.blind, rows: [blindLine(theme, place.width, store.state, now, store.meta.link, screen.keymap)] },
    { id: "footer", ...place.footer, rows: [lastLine(screen, theme, place.width)] },
  ];
  const { replay } = store.meta;
  if (place.scrubber && replay) blocks.push({ id: "scrubber", ...place.scrubber, rows: [scrubberLine(theme, place.width, replay)] });
  const rule = theme.paint(theme.glyphs.vertical, "rule");
  for (const [i, rect] of place.dividers.entries())
    blocks.push({ id: `divider${i}`, ...rect, rows: Array.from({ length: rect.height }, () => rule) });
  const dialog = overlay(screen, place);
  if (dialog) blocks.push(placedDialog(dialog, place, store.dialog ? undefined : state.dialog?.kind));
  return { width: place.width, height: place.height, blocks };
}

const lastLine = (screen: Picture, theme: Theme, width: number) =>
  screen.state.filter.typing && screen.message === undefined
    ? filterRow(theme, width, screen.state.filter, screen.settings.filters.all)
    : footerLine(screen.message ? screen.theme : theme, width, screen.context(), screen.message);

function overlay(screen: Picture, place: Layout): Overlay | undefined {
  const { store, state, theme } = screen;
  const size = { width: place.width, height: place.height };
  const { dialog } = store;
  const found = dialog
    ? responseDialog(theme, size, dialog, store.meta.hostLabel, {
        scroll: state.planScroll,
        armed: screen.armed,
        second: secondWords(dialog, store),
        allowing: state.allowing,
      })
    : state.dialog && localDialog(screen, size, state.dialog);
  if (found) screen.limitScroll(found.maxScroll);
  return found;
}

function localDialog(screen: Picture, size: { width: number; height: number }, dialog: LocalDialog): Overlay {
  const { store, theme, keymap, settings } = screen;
  switch (dialog.kind) {
    case "help":
      return helpDialog(theme, size, screen.context(), dialog, settings.mouse);
    case "palette":
      return paletteDialog(theme, size, dialog, screen.palette());
    case "name-filter":
      return nameFilterDialog(theme, size, dialog, settings.filters.all);
    case "search":
      return searchDialog(theme, size, dialog.text);
    case "tour":
      return tourOverlay(theme, size, keymap, store.meta.mode, dialog.step);
    case "about":
      return aboutDialog(theme, size, screen.seen, screen.seenNow, dialog);
    case "sight":
      return sightDialog(theme, size, { state: store.state, now: store.now(), link: store.meta.link, scroll: dialog.scroll });
    case "tag":
      return tagDialog(theme, size, store.state, dialog);
    case "tags":
      return tagsDialog(screen, size, dialog);
    case "footprint":
      return footprintDialog(screen, size, dialog.scroll);
    case "compose-command":
    case "commands":
      return commandDialog(screen, size, dialog);
    case "card":
      return cardDialog(theme, size, dialog, store.meta.hostLabel, screen.armed);
    case "reason":
      return reasonDialog(theme, size, dialog, store.state.card, screen.armed);
    case "findings":
    case "rotate":
    case "sockets":
      return trustDialog(screen, size, dialog);
    case "people":
    case "who-did-what":
    case "compose":
      return pairDialog(screen, size, dialog);
    case "measures":
      return measuresDialog(theme, size, dialog, screen.measures(dialog), screen.armed);
    case "leave":
      return leaveDialog(theme, size, store.state, screen.armed, keymap.label("isolate"));
  }
}

/** A tour stands at the lower end, above what is always told there, beside the tree where there is room: what it is about stays in sight. */
function placedDialog(dialog: Overlay, place: Layout, kind: LocalDialog["kind"] | undefined): Block {
  const block = centred(dialog, place);
  if (kind !== "tour") return block;
  const x = place.dividers.some(({ height }) => height > place.height / 2) ? place.width - block.width - 1 : block.x;
  return { ...block, x, y: Math.max(1, (place.scrubber ?? place.blind).y - block.height) };
}

function centred(dialog: Overlay, place: Layout): Block {
  const height = Math.min(dialog.rows.length, place.height - 2);
  return {
    id: "dialog",
    x: Math.max(0, Math.floor((place.width - dialog.width) / 2)),
    y: Math.max(1, Math.floor((place.height - height) / 2)),
    width: dialog.width,
    height,
    rows: dialog.rows.slice(0, height),
  };
}

/** Whether the host is isolated is said on the smallest terminal, too. */
function tooSmall(theme: Theme, columns: number, rows: number, { isolated, underway }: Pick<State, "isolated" | "underway">): Frame {
  const width = Math.max(1, Math.min(columns, LARGEST.columns));
  const stands = isolated ? "ISOLATED. " : underway ? "ISOLATING. " : "";
  const text = `${stands}Stakeout needs ${SMALLEST.columns}x${SMALLEST.rows}; this terminal is ${columns}x${rows}.`;
  return {
    width,
    height: 1,
    blocks: [{ id: "small", x: 0, y: 0, width, height: 1, rows: [paintRow(theme, width, [{ text, style: "warn", flex: true }])] }],
  };
}
