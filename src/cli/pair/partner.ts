import { mountPlain } from "#draw/plain/mount";
import { defaultSettings } from "#draw/settings";
import type { ViewMeta } from "#draw/store";
import { mountScreen } from "#views/mount";
import type { Mount } from "../../pair/client.ts";
import type { Live } from "../live.ts";
import { cannotPlace } from "../plain.ts";
import { seatStore } from "./seat.ts";

/** Puts a screen of their own on the terminal of everybody who joins: own size, colours, cursor, filter and folds; one session. */
export const partnerMount =
  (live: Live, meta: () => ViewMeta): Mount =>
  (terminal, analyst, address) => {
    const { party } = live;
    const seat = party.join(analyst, address);
    let quit = false;
    try {
      const { store } = seatStore(live, {
        seat,
        meta,
        quit: () => {
          quit = true; // the screen unmounts itself, and with it goes the seat: the session stays
        },
      });
      const mountOn = cannotPlace(terminal.env.TERM) ? mountPlain : mountScreen;
      const screen = mountOn(store, { ...terminal, settings: defaultSettings() });
      const gone = () => party.leave(seat, quit ? undefined : "the connection ended");
      screen.waitUntilExit().then(gone, gone);
      return screen;
    } catch (error) {
      party.leave(seat, "no screen could be opened");
      throw error;
    }
  };
