/** A driver may act on the host, a spectator may not. There is one driver. */
export type Role = "driver" | "spectator";

/** A thing that a cursor stands on, a note is about, a claim is laid to. */
export interface Subject {
  kind: "login" | "process" | "connection" | "binary" | "finding";
  id: string;
}

/** One screen that is open on the session, and whose it is. */
export interface Person {
  /** Of the screen: one analyst may have several. */
  seat: string;
  /** The analyst, as the log names him. */
  name: string;
  /** Two names of one person do not count as two people. */
  person: string;
  /** May be handed the drive, and may confirm what another planned. */
  mayDrive: boolean;
  /** The console itself, which holds the connection to the host. */
  console: boolean;
  since: number;
  /** 0 is the first colour of the theme's; a colour is free again when its screen has left. */
  colour: number;
  pane?: string;
  on?: Subject;
  /** The seat whose cursor this screen follows. */
  following?: string;
}

/** "Look here": flashes on the other screens. */
export interface Pointer {
  name: string;
  colour: number;
  on: Subject;
  at: number;
}

export interface ChatLine {
  at: number;
  name: string;
  text: string;
}

/**
 * Who is here and where they look: broadcast to every screen and never stored. What of it belongs to the record (joining, leaving, the
 * drive changing hands) is an event besides. Times are milliseconds on the console's clock. A value, never changed in place.
 */
export interface Presence {
  people: readonly Person[];
  /** The analyst who drives. */
  driver: string;
  pointer?: Pointer;
  /** The newest last. */
  chat: readonly ChatLine[];
}

export const subjectKey = ({ kind, id }: Subject): string => `${kind}:${id}`;
