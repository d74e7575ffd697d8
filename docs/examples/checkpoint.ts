// A checkpoint's system: listens to alerts, confirms them, asks about travellers, and goes on without a line.
//
//   node checkpoint.ts listen                        alerts, a JSON line each, until Ctrl-C
//   node checkpoint.ts check < question.json         the answer about one traveller
//   node checkpoint.ts acknowledge ALERT OFFICER     a person at this checkpoint has seen the alert
//
// CHECKPOINT_URL, CHECKPOINT_KEY and CHECKPOINT_STATE (a file, checkpoint.json) say where, as whom, and where this keeps
// what it must not forget. Needs Node 22.18 or newer, or tsc before it; schema.d.ts is what openapi-typescript makes of
// the OpenAPI document, for the compiler alone. What each rule here is good for: docs/integrate-checkpoint.md.

import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { components } from "./schema.js";

type Schemas = components["schemas"];
type Alert = Schemas["AlertOut"];
type Question = Schemas["CheckIn"];
interface State {
  cursor: string | null;
  held: Record<string, Alert>;
  due: string[];
}

/** Milliseconds without a byte, three heartbeats, after which a line is dead. */
const SILENCE = 45_000;
/** How long a traveller waits for the centre before the rule for a lost line holds. */
const PATIENCE = 5_000;
const KEEP = process.env["CHECKPOINT_STATE"] ?? "checkpoint.json";

class Unavailable extends Error {
  wait: number;
  constructor(wait: number) {
    super("the service can't answer now");
    this.wait = wait;
  }
}

function opened(path: string, init: RequestInit): Promise<Response> {
  const headers = { Authorization: `Bearer ${process.env["CHECKPOINT_KEY"]}`, ...init.headers };
  return fetch(`${process.env["CHECKPOINT_URL"]}${path}`, { ...init, headers });
}

/** A whole answer in time. The timer is our own: one of AbortSignal.timeout does not keep the process alive. */
async function fetched(path: string, init: RequestInit = {}): Promise<Response> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), PATIENCE);
  try {
    const answer = await opened(path, { ...init, signal: late.signal });
    return new Response(await answer.arrayBuffer(), answer);
  } finally {
    clearTimeout(timer);
  }
}

async function posted(path: string, body: unknown): Promise<Response> {
  const headers = { "Content-Type": "application/json" };
  return fetched(path, { method: "POST", headers, body: JSON.stringify(body) });
}

function say(event: string, more: object): void {
  console.log(JSON.stringify({ event, ...more }));
}

/** What is kept: the cursor, the alerts in force by their entry, and the alerts that are still to be confirmed. */
function recall(): State {
  return existsSync(KEEP) ? JSON.parse(readFileSync(KEEP, "utf8")) : { cursor: null, held: {}, due: [] };
}

/** Replace the file in one step and flush it: after a power cut it is the old one or the new one, never half. */
function remember(state: State): void {
  const file = openSync(`${KEEP}.new`, "w", 0o600);
  writeSync(file, JSON.stringify(state));
  fsyncSync(file);
  closeSync(file);
  renameSync(`${KEEP}.new`, KEEP);
}

/** Take an alert into what is held; `release` ends it, and a drill is about nobody. */
function apply(held: State["held"], alert: Alert): void {
  if (alert.entry === null) return;
  if (alert.action === "release") delete held[alert.entry.id];
  else held[alert.entry.id] = alert;
}

/** The answer, where it is one; throws where a repeat helps, ends the program where none does. */
function accepted(answer: Response): Response {
  if (answer.status === 401 || answer.status === 403) {
    console.error("The key is not, or no longer, one of a checkpoint: have it replaced.");
    process.exit(1);
  }
  if (!answer.ok) throw new Unavailable(1000 * Number(answer.headers.get("Retry-After") ?? 0));
  return answer;
}

/** The events of a stream: fields up to an empty line. Split at line feeds alone, a text may hold other breaks. */
async function* events(body: ReadableStream<Uint8Array>, heard: () => void): AsyncGenerator<Map<string, string>> {
  const decoder = new TextDecoder();
  let rest = "";
  let fields = new Map<string, string>();
  for await (const part of body as unknown as AsyncIterable<Uint8Array>) {
    heard();
    const lines = (rest + decoder.decode(part, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines.map((each) => each.replace(/\r$/, ""))) {
      const colon = line.indexOf(":");
      if (colon > 0) fields.set(line.slice(0, colon), line.slice(colon + 1).replace(/^ /, ""));
      else if (line === "" && fields.size > 0) {
        yield fields;
        fields = new Map();
      }
    }
  }
}

async function listen(): Promise<never> {
  const state = recall();
  for (let failures = 0; ; failures++) {
    let wait = 0;
    const line = new AbortController();
    let silence = setTimeout(() => line.abort(), SILENCE);
    const heard = (): void => {
      clearTimeout(silence);
      silence = setTimeout(() => line.abort(), SILENCE);
    };
    try {
      const headers: Record<string, string> = state.cursor === null ? {} : { "Last-Event-ID": state.cursor };
      const answer = await opened("/v1/alerts/stream", { headers, signal: line.signal });
      if (answer.status === 410) {
        await answer.body?.cancel();
        await startAnew(state);
        continue;
      }
      const body = accepted(answer).body;
      if (body === null) throw new Unavailable(0);
      say("connected", { cursor: state.cursor });
      for await (const event of events(body, heard)) {
        failures = 0;
        wait = Number(event.get("retry") ?? wait);
        if (event.has("data")) await take(state, event);
      }
      say("disconnected", { why: "the stream has ended" }); // Node says the same of a line that was cut
    } catch (error) {
      say("disconnected", { why: String(error) });
      if (error instanceof Unavailable) wait = error.wait;
    } finally {
      clearTimeout(silence);
      line.abort();
    }
    await sleep(wait || Math.min(30_000, 500 * 2 ** Math.min(failures, 6)) * (0.5 + Math.random() / 2));
  }
}

/** Keep first, show and confirm then: what was confirmed must survive a power cut. */
async function take(state: State, event: Map<string, string>): Promise<void> {
  if (event.get("event") === "alert") {
    const alert: Alert = JSON.parse(event.get("data") ?? "");
    apply(state.held, alert);
    state.due.push(alert.id);
    say("alert", { id: alert.id, kind: alert.kind, action: alert.action, message: alert.message });
  }
  state.cursor = event.get("id") ?? state.cursor;
  remember(state);
  for (const id of [...state.due]) {
    const answer = await posted(`/v1/alerts/${id}/receipts`, { level: "received" });
    if (answer.status !== 404) accepted(answer); // a restored register may not know it: nothing is left to confirm
    state.due = state.due.filter((each) => each !== id);
    remember(state);
    say("received", { id, again: answer.status === 200 });
  }
}

/** The register was restored: read all its alerts from the beginning, and hold what it holds, nothing else. */
async function startAnew(state: State): Promise<void> {
  const held: State["held"] = {};
  for (let query = "", more = true; more; ) {
    const page: Schemas["AlertsOut"] = await accepted(await fetched(`/v1/alerts?limit=500${query}`)).json() as never;
    for (const alert of page.items) apply(held, alert);
    state.cursor = page.cursor;
    query = `&after=${encodeURIComponent(page.cursor)}`;
    more = page.more;
  }
  const lost = Object.entries(state.held).filter(([entry]) => !(entry in held)).map(([, alert]) => alert.id);
  Object.assign(state, { held, due: [] });
  remember(state);
  say("restored", { held: Object.keys(held).length, lost }); // a duty officer is to be asked about what was lost
}

/** The centre's answer; without it what a supervisor is told. A silent centre never means `clear`. */
async function check(question: Question): Promise<object> {
  try {
    const answer = await posted("/v1/checks", question);
    if (answer.status === 422) return { outcome: "ask_again", errors: await answer.json() };
    return await accepted(answer).json() as object;
  } catch {
    const zone = question.mrz?.split("\n").at(-1)?.slice(0, 9).replace(/<+$/, "");
    const number = question.document?.number ?? zone;
    const now = new Date().toISOString();
    const found = Object.values(recall().held).filter(
      (alert) => alert.expires_at > now && alert.entry?.documents.some((each) => each.number === number),
    );
    const action = found.length > 0 ? "refer_to_supervisor" : null;
    return { outcome: "unavailable", action, held_by: found.map((alert) => alert.id) };
  }
}

/** A person's receipt; a repeat is answered 200 with the time of the first. */
async function acknowledge(id: string, officer: string): Promise<object> {
  const body: Schemas["ReceiptIn"] = { level: "acknowledged", officer_reference: officer };
  const answer = accepted(await posted(`/v1/alerts/${id}/receipts`, body));
  return { ...(await answer.json() as object), again: answer.status === 200 };
}

const [command, first = "", second = ""] = process.argv.slice(2);
const absent = ["CHECKPOINT_URL", "CHECKPOINT_KEY"].filter((name) => !process.env[name]);
if (absent.length > 0) {
  console.error(`Not set: ${absent.join(", ")}.`); // or every question would be answered "unavailable"
  process.exit(1);
}
if (command === "listen") await listen();
else if (command === "check") console.log(JSON.stringify(await check(JSON.parse(readFileSync(0, "utf8"))), null, 1));
else if (command === "acknowledge") console.log(JSON.stringify(await acknowledge(first, second), null, 1));
else console.error("node checkpoint.ts listen | check | acknowledge ALERT OFFICER");
