import type { Action, StakeoutEvent } from "#model/event";
import { COUNTED, countActivity } from "./activity.ts";
import { attributeConnection, listen, networkEnd, networkEstablished, networkInfo, networkStart } from "./connections.ts";
import { commanded, foundIsolated, responded, sensed, tagApplied, tagRemoved } from "./decisions.ts";
import { fileDeleted, fileInfo, fileSeen } from "./files.ts";
import { exposedOrNot, found } from "./findings.ts";
import { namesTold } from "./names.ts";
import { loginInfo, originStart } from "./origins.ts";
import { packageTold } from "./owners.ts";
import { pace } from "./pace.ts";
import { lookedBack, remembered, setUpChanged, setUpFound } from "./past.ts";
import { acted, claimed, handedOver, joined, left, noted, ruled } from "./people.ts";
import { environmentTold, loginEnd, loginStart, processEnd, processFork, processStart } from "./processes.ts";
import { socketsTold } from "./sockets.ts";
import type { State } from "./state.ts";
import type { Millis } from "./time.ts";
import { parseTime } from "./time.ts";
import { ranAs, reachedFor, reachedHost, secretFound } from "./touched.ts";

type Handler = (state: State, event: StakeoutEvent, at: Millis) => void;

const handlers: Partial<Record<Action, Handler>> = {
  "process.start": (state, event, at) => {
    processStart(state, event, at);
    ranAs(state, event);
  },
  "process.fork": processFork,
  "process.end": processEnd,
  "process.change": environmentTold,
  "baseline.process": (state, event, at) => {
    processStart(state, event, at);
    ranAs(state, event);
  },
  "login.start": loginStart,
  "login.attributed": attributeConnection,
  "login.end": loginEnd,
  "login.info": loginInfo,
  "origin.start": originStart,
  "origin.attributed": originStart,
  "lookback.login": remembered,
  "lookback.failed": remembered,
  "lookback.elevation": remembered,
  "lookback.account": remembered,
  "lookback.file": remembered,
  "lookback.package": remembered,
  "lookback.gap": remembered,
  "lookback.shell": remembered,
  "lookback.complete": lookedBack,
  "baseline.inventory": setUpFound,
  "baseline.added": setUpChanged,
  "baseline.removed": setUpChanged,
  "network.start": (state, event, at) => {
    networkStart(state, event, at);
    reachedHost(state, event, at);
  },
  "network.established": (state, event, at) => {
    networkEstablished(state, event, at);
    reachedHost(state, event, at);
  },
  "network.info": networkInfo,
  "network.end": networkEnd,
  "network.listen": listen,
  "network.sockets": socketsTold,
  "network.names": namesTold,
  "baseline.connection": networkEstablished,
  "baseline.listener": listen,
  "file.creation": fileSeen,
  "file.change": fileSeen,
  "file.deletion": fileDeleted,
  "file.info": fileInfo,
  "file.package": packageTold,
  "tag.apply": tagApplied,
  "tag.remove": tagRemoved,
  "finding.create": found,
  "finding.dismiss": exposedOrNot,
  "finding.restore": exposedOrNot,
  "file.access": reachedFor,
  "baseline.secret": secretFound,
  "command.start": commanded,
  "command.end": commanded,
  "baseline.isolation": foundIsolated,
  "response.proposed": responded,
  "response.confirmed": responded,
  "response.dismissed": responded,
  "response.succeeded": responded,
  "response.failed": responded,
  "sensor.start": sensed,
  "sensor.report": sensed,
  "sensor.clock": sensed,
  "sensor.degraded": sensed,
  "sensor.recovered": sensed,
  "sensor.lost": sensed,
  "sensor.tampered": sensed,
  "sensor.stop": sensed,
  "session.start": (state, event, at) => {
    state.session = event.stakeout.session;
    state.started = at;
    const geo = event.stakeout["geo"];
    if (typeof geo === "string") state.placesBy = geo;
    if (event.stakeout.card) state.card = { ...event.stakeout.card, at };
  },
  "session.end": (state, _event, at) => {
    state.ended = at;
  },
  "session.join": joined,
  "session.leave": left,
  "session.handover": handedOver,
  "session.rule": ruled,
  "finding.claim": claimed,
  "note.add": (state, event, at) => {
    if (event.stakeout.card) state.card = { ...event.stakeout.card, at };
    else noted(state, event, at);
  },
};

/**
 * What the event says, put into the state. Pure in effect: it reads no clock and does no I/O, so the same events give the same state;
 * it changes `state` in place and returns it, because copying a tree of thousands of processes for each event would cost the frame.
 */
export function reduce(state: State, event: StakeoutEvent): State {
  const at = parseTime(event["@timestamp"]);
  state.sequence = event.event.sequence;
  state.host = event.host;
  if (at > state.now) state.now = at;
  state.counts.events += 1;
  const on = COUNTED.has(event.event.action) ? pace(state, event, at) : at;
  handlers[event.event.action]?.(state, event, at);
  countActivity(state, event, on);
  acted(state, event, at);
  const sensor = state.sensors.get(event.stakeout.sensor);
  if (sensor) {
    sensor.report.received = (sensor.report.received ?? 0) + 1;
    if (!event.event.action.startsWith("sensor.") && !(at <= (sensor.seen ?? 0))) sensor.seen = at;
  }
  return state;
}
