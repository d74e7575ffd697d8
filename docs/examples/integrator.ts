// An integrator's system: holds a copy of the register in step, and verifies each record of it.
//
//   node integrator.ts follow     copies from the beginning, then follows; a JSON line for each event, until Ctrl-C
//   node integrator.ts show       the entries that the copy holds, a JSON line each
//
// INTEGRATOR_URL, INTEGRATOR_KEY and INTEGRATOR_COPY (a file, copy.ndjson) say where, as whom, and where the copy is: a
// journal of records, read again at each start. Needs Node 22.18 or newer, or tsc before it; schema.d.ts is what
// openapi-typescript makes of the OpenAPI document, for the compiler alone. What each rule here is good for:
// docs/integrate-feed.md.

import { createHash } from "node:crypto";
import { closeSync, existsSync, openSync, readFileSync, renameSync, rmSync, truncateSync, writeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { components } from "./schema.js";

type Schemas = components["schemas"];
type Change = Schemas["RecordOut"];
type Heartbeat = Schemas["ChangeHeartbeatOut"];
interface Line {
  cursor: string;
  record: Change;
}

/** Milliseconds without a byte, three heartbeats, after which a line is dead. */
const SILENCE = 45_000;
const KEEP = process.env["INTEGRATOR_COPY"] ?? "copy.ndjson";
/** The copy of a restored register while it is being read; the old one answers until it is complete. */
const ANEW = `${KEEP}.new`;
const SAME = ["sequence", "type", "at", "effective_at", "entry_id", "version", "tombstone"] as const;

function stop(why: string): never {
  console.error(why);
  process.exit(1);
}

/** The copy: the newest version of each entry, and how far it was read; both are in the line of each record. */
class Copy {
  readonly file: string;
  readonly entries = new Map<string, Change>();
  cursor: string | null = null;
  sequence = 0;
  #journal: number;

  constructor(file: string) {
    this.file = file;
    const text = existsSync(file) ? readFileSync(file) : Buffer.alloc(0);
    const whole = text.lastIndexOf(10) + 1; // a line without its end was cut by a crash: it comes again
    if (whole < text.length) truncateSync(file, whole);
    for (const line of text.subarray(0, whole).toString().split("\n")) {
      if (line !== "") this.#apply(JSON.parse(line) as Line);
    }
    this.#journal = openSync(file, "a", 0o600);
  }

  /** Verify a record, then apply it; one that was read before changes nothing. */
  take(cursor: string, record: Change): void {
    if (record.sequence <= this.sequence) return;
    verify(record, this.sequence + 1);
    writeSync(this.#journal, `${JSON.stringify({ cursor, record })}\n`);
    this.#apply({ cursor, record });
  }

  #apply({ cursor, record }: Line): void {
    [this.cursor, this.sequence] = [cursor, record.sequence];
    if (!record.type.startsWith("entry.") || record.entry_id === null) return;
    const known = this.entries.get(record.entry_id)?.version ?? 0;
    if (record.tombstone) this.entries.delete(record.entry_id);
    else if ((record.version ?? 0) > known) this.entries.set(record.entry_id, record);
  }

  close(): void {
    closeSync(this.#journal);
  }
}

/** JSON in the form of RFC 8785: members sorted, no spaces. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const members = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1));
  return `{${members.map(([name, each]) => `${JSON.stringify(name)}:${canonical(each)}`).join(",")}}`;
}

/** Hold that no number is missing, that the record says what its leaf says, and that the leaf commits to the rest. */
function verify(record: Change, expected: number): void {
  const leaf = record.leaf as Record<string, unknown>;
  if (record.sequence !== expected) stop(`Record ${expected} is missing: ${record.sequence} came.`);
  if (SAME.some((name) => record[name] !== leaf[name])) stop(`Record ${expected} says something else than its leaf.`);
  if (record.personal !== null && record.salt !== null) {
    const hash = createHash("sha256").update(Buffer.from(record.salt, "hex")).update(canonical(record.personal));
    if (hash.digest("hex") !== leaf["commitment"]) {
      stop(`Record ${expected} is not the one to which its leaf commits.`);
    }
  }
}

function say(event: string, more: object): void {
  console.log(JSON.stringify({ event, ...more }));
}

/** The events of a stream: fields up to an empty line, lines end at line feeds. */
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

async function follow(): Promise<never> {
  let copy = new Copy(existsSync(ANEW) ? ANEW : KEEP);
  for (let failures = 0; ; failures++) {
    let wait = 0;
    const line = new AbortController();
    let silence = setTimeout(() => line.abort(), SILENCE);
    const heard = (): void => {
      clearTimeout(silence);
      silence = setTimeout(() => line.abort(), SILENCE);
    };
    try {
      const headers: Record<string, string> = {
        Authorization: `Bearer ${process.env["INTEGRATOR_KEY"]}`,
        Accept: "text/event-stream",
        ...(copy.cursor === null ? {} : { "Last-Event-ID": copy.cursor }),
      };
      const answer = await fetch(`${process.env["INTEGRATOR_URL"]}/v1/changes`, { headers, signal: line.signal });
      if (answer.status === 401 || answer.status === 403) {
        stop("The key is not, or no longer, one of an integrator: have it replaced.");
      }
      if (answer.status === 410) {
        copy = startAnew(copy);
        wait = 200 + Math.random() * 2_800; // every reader of a restored register comes now
      } else if (!answer.ok || answer.body === null) {
        wait = 1000 * Number(answer.headers.get("Retry-After") ?? 0);
        throw new Error(`the service answered ${answer.status}`);
      } else {
        say("connected", { cursor: copy.cursor });
        for await (const event of events(answer.body, heard)) {
          failures = 0;
          wait = Number(event.get("retry") ?? wait);
          if (event.has("data")) copy = take(copy, event);
        }
      }
    } catch (error) {
      say("disconnected", { why: String(error) });
    } finally {
      clearTimeout(silence);
      line.abort();
    }
    await sleep(wait || Math.min(30_000, 500 * 2 ** Math.min(failures, 6)) * (0.5 + Math.random() / 2));
  }
}

/** Take an event into the copy; a heartbeat with the copy's number says that it is complete. */
function take(copy: Copy, event: Map<string, string>): Copy {
  const data: unknown = JSON.parse(event.get("data") ?? "");
  if (event.get("event") === "change") {
    const { sequence, type, entry_id, withheld } = data as Change;
    copy.take(event.get("id") ?? "", data as Change);
    say("change", { sequence, type, entry_id, withheld });
  } else if (event.get("event") === "heartbeat") {
    const { head, degraded } = data as Heartbeat;
    if (head !== copy.sequence || degraded) return copy;
    if (copy.file === ANEW) copy = replace(copy);
    say("in_step", { sequence: copy.sequence, entries: copy.entries.size });
  }
  return copy;
}

/** The register was restored: read all of it again, beside the copy of before. */
function startAnew(copy: Copy): Copy {
  copy.close();
  rmSync(ANEW, { force: true });
  return new Copy(ANEW);
}

/** Put the complete new copy in the place of the old one; what only the old one held may be lost: ask about it. */
function replace(anew: Copy): Copy {
  const old = new Copy(KEEP);
  const lost = [...old.entries.keys()].filter((id) => !anew.entries.has(id)).sort();
  old.close();
  anew.close();
  renameSync(ANEW, KEEP);
  const copy = new Copy(KEEP);
  say("restored", { entries: copy.entries.size, lost });
  return copy;
}

function show(): void {
  for (const [id, { version, leaf, personal }] of new Copy(KEEP).entries) {
    console.log(JSON.stringify({ id, version, leaf, personal }));
  }
}

const [command] = process.argv.slice(2);
if (command === "follow") await follow();
else if (command === "show") show();
else stop("node integrator.ts follow | show");
