import type { PaneName } from "#commands/pane";
import type { State } from "#state/state";
import { AllOpen, filterTree } from "../filter/apply.ts";
import { asksForEnds, matches, parseFilter, type Subject } from "../filter/parse.ts";
import { ofActivity, ofBinary, ofConnection, ofLogin, ofPast, ofPlace, ofSetUp } from "../filter/subjects.ts";
import { Pace } from "../pace.ts";
import { type ActivityRow, buildActivity } from "./activity.ts";
import { atOnce } from "./at-once.ts";
import { type BinaryRow, buildBinaries } from "./binaries.ts";
import { buildConnections, type ConnectionRow } from "./connections.ts";
import { flaggedLogins } from "./flagged.ts";
import type { Sort } from "./list.ts";
import { buildLogins, type LoginsRow } from "./logins.ts";
import { buildPast, buildSetUp, type PastRow, type SetUpRow } from "./past.ts";
import { buildPlaces, type PlaceRow } from "./places.ts";
import { ProcessRows } from "./process-row.ts";
import { RowShelf, type SharedRows } from "./shared.ts";
import { type Hidden, inSight } from "./standing.ts";
import { buildTree, type TreeRow } from "./tree.ts";

/** The rows of every pane. */
export interface Lists {
  tree: readonly TreeRow[];
  connections: readonly ConnectionRow[];
  binaries: readonly BinaryRow[];
  logins: readonly LoginsRow[];
  map: readonly PlaceRow[];
  activity: readonly ActivityRow[];
  past: readonly PastRow[];
  baseline: readonly SetUpRow[];
}
/** What of a screen decides which rows there are. */
export interface Look {
  toggled: ReadonlySet<string>;
  showHidden: boolean;
  filter: string;
  sorts: Readonly<Record<PaneName, Sort>>;
}

interface Tree {
  key: string;
  rows: readonly TreeRow[];
  found: number;
}
interface Made {
  tree: Tree;
  rest: Rest;
}
const SHELF = new RowShelf<Made>();

/** Of what rows are asked for, by index: what is another one when something is judged anew. */
const JUDGEMENTS: ReadonlySet<number> = new Set([1, 2]);

interface Rest extends Omit<Lists, "tree"> {
  key: string;
  hidden: Hidden;
  live: number;
}

/**
 * Rows of all panes; the tree is built anew only when its shape, the tags or the folding changed, the rest when an event came. What the
 * analyst does, a step through a replay too, is in them at once; what the host does may wait, so that keys do not.
 */
export class RowCache {
  readonly #pace: Pace;
  /** The rows that are there, and what they were made for. */
  #known: { asked: readonly unknown[]; structure: number; sequence: number; lists: Lists } | undefined;
  /** Of which state the rows are: a replay that went back has another. */
  #of: State | undefined;
  #tree: Tree = { key: "", rows: [], found: 0 };
  #rest: Rest | undefined;
  /** Rows that are used again, for this look alone: another screen may show those of a look that was. */
  #processes: { look: readonly unknown[]; rows: ProcessRows } = { look: [], rows: new ProcessRows() };

  /** `again` is called when rows that were put off are due; none are while nothing goes on by itself (`still`). */
  constructor(again: () => void, still?: () => boolean) {
    this.#pace = new Pace(again, still);
  }

  /** Rows of the tree that the filter asked for. */
  get found(): number {
    return this.#tree.found;
  }
  /** How much the tags hide. */
  get hidden(): Hidden {
    return this.#rest?.hidden ?? { processes: 0, connections: 0, files: 0, logins: 0 };
  }
  /** Processes that run and that no tag hides. */
  get live(): number {
    return this.#rest?.live ?? 0;
  }

  /** With `hold`, rows that were made for the same look and the same judgements are taken as they are, whatever the host did since. */
  lists(state: State, look: Look, hold = false): Lists {
    const asked = [state, state.judged, state.tags.size, look.toggled, look.showHidden, look.filter, look.sorts];
    const same = this.#known?.asked.every((one, i) => one === asked[i]) ? this.#known : undefined;
    if (same && (hold || (same.structure === state.structure && same.sequence === state.sequence))) return same.lists;
    const key = lookKey(state, look);
    // a picture that goes on after it stood still begins with rows of its own
    const mine = this.#of === undefined || this.#of === state;
    const shared = !mine ? undefined : SHELF.newer(state, key, same ? this.#pace.at : 0);
    if (shared) this.#take(state, asked, shared);
    if (!shared && !same) {
      const patched = this.#judged(state, asked, look);
      if (patched) return patched;
    }
    const known = shared ? this.#known : same;
    if (known && ((known.structure === state.structure && known.sequence === state.sequence) || !this.#pace.due())) return known.lists;
    const lists = this.#pace.run(() => this.#build(state, look));
    const { structure, sequence } = state;
    this.#known = { asked, structure, sequence, lists };
    SHELF.put(state, key, {
      rows: { tree: this.#tree, rest: this.#rest as Rest },
      structure,
      sequence,
      at: this.#pace.at,
      cost: this.#pace.cost,
    });
    return lists;
  }

  /** Nothing but judgements are others: where there are many rows, those that are there are shown without what is hidden by now. */
  #judged(state: State, asked: readonly unknown[], look: Look): Lists | undefined {
    const known = this.#known;
    if (!known || this.#of !== state || !known.asked.every((one, i) => one === asked[i] || JUDGEMENTS.has(i))) return undefined;
    const lists = atOnce(known.lists, look.showHidden);
    if (!lists || !this.#pace.soon()) return undefined;
    this.#known = { asked, structure: Number.NaN, sequence: Number.NaN, lists };
    if (this.#rest) this.#rest = { ...this.#rest, key: "", ...inSight(state) };
    return lists;
  }

  /** What another screen has made for the same look, as if it had been made here. */
  #take(state: State, asked: readonly unknown[], { rows, structure, sequence, at, cost }: SharedRows<Made>): void {
    this.#of = state;
    this.#tree = rows.tree;
    this.#rest = rows.rest;
    this.#known = { asked, structure, sequence, lists: { tree: rows.tree.rows, ...rows.rest } };
    this.#pace.took(at, cost);
  }

  /** Ends its timer. */
  close(): void {
    this.#pace.close();
  }

  #build(state: State, look: Look): Lists {
    if (this.#of !== state) {
      this.#of = state;
      this.#tree = { key: "", rows: [], found: 0 };
      this.#rest = undefined;
      this.#processes = { look: [], rows: new ProcessRows() };
    }
    const { toggled, showHidden, sorts } = look;
    const decides = [toggled, showHidden, look.filter, sorts.tree];
    if (!decides.every((one, i) => one === this.#processes.look[i])) this.#processes = { look: decides, rows: new ProcessRows() };
    const filter = parseFilter(look.filter);
    const key = `${state.session}.${tagsKey(state)}.${showHidden}.${look.filter}`;
    // what is found out of a file can put its login before others, and moves no process
    const ends = asksForEnds(filter) ? state.sequence : 0;
    const treeKey = `${key}.${state.structure}.${ends}.${[...flaggedLogins(state)].join()}.${sorts.tree}.${[...toggled].join()}`;
    if (this.#tree.key !== treeKey) {
      const sort = sorts.tree;
      const rows = buildTree(state, { toggled: filter.length === 0 ? toggled : new AllOpen(), showHidden, sort }, this.#processes.rows);
      this.#tree = { key: treeKey, ...(filter.length === 0 ? { rows, found: 0 } : filterTree(filter, rows, state)) };
    }
    const restKey = `${key}.${state.sequence}.${Object.values(sorts).join()}`;
    if (this.#rest?.key !== restKey) {
      const those = <Row>(rows: readonly Row[], subject: (row: Row, state: State) => Subject) =>
        filter.length === 0 ? rows : rows.filter((row) => matches(filter, subject(row, state)));
      const connections = those(buildConnections(state, showHidden, sorts.connections), ofConnection);
      this.#rest = {
        key: restKey,
        connections,
        binaries: those(buildBinaries(state, showHidden, sorts.binaries), ofBinary),
        logins: those(buildLogins(state, showHidden, sorts.logins), ofLogin),
        map: those(buildPlaces(state, connections, sorts.map), ofPlace),
        activity: those(buildActivity(state, showHidden, sorts.activity), ofActivity),
        past: those(buildPast(state, sorts.past), ofPast),
        baseline: those(buildSetUp(state, sorts.baseline), ofSetUp),
        ...inSight(state),
      };
    }
    return { tree: this.#tree.rows, ...(this.#rest as Rest) };
  }
}

/** Tags change what is shown even where a sensor says that nothing moved. */
function tagsKey(state: State): string {
  let removed = 0;
  for (const tag of state.tags.values()) if (tag.removed !== undefined) removed++;
  return `${state.tags.size}-${removed}`;
}

/** What decides which rows there are, besides what the host does. */
const lookKey = (state: State, { toggled, showHidden, filter, sorts }: Look): string =>
  `${tagsKey(state)} ${state.judged} ${showHidden} ${filter} ${Object.values(sorts).join()} ${[...toggled].sort().join()}`;
