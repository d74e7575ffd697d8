// An integrator's system: holds a copy of the register in step, and verifies each record of it.
//
//   node integrator.ts follow     begins with a snapshot, then follows; a JSON line for each event, until Ctrl-C
//   node integrator.ts show       the entries that the copy holds, a JSON line each
//
// INTEGRATOR_URL, INTEGRATOR_KEY and INTEGRATOR_COPY (a file, copy.ndjson) say where, as whom, and where the copy is: a
// journal of records, read again at each start. INTEGRATOR_TRUSTS is the register's public Ed25519 key, the last part of
// its vkey: a snapshot must be signed with it. Needs Node 22.18 or newer, or tsc before it; schema.d.ts is what
// openapi-typescript makes of the OpenAPI document, for the compiler alone. What each rule here is good for:
// docs/integrate-feed.md.

import { createHash, createPublicKey, verify as isSigned } from "node:crypto";
import { closeSync, existsSync, openSync, readFileSync, renameSync, rmSync, truncateSync, writeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { components } from "./schema.js";

type Schemas = components["schemas"];
type Change = Schemas["RecordOut"];
type Heartbeat = Schemas["ChangeHeartbeatOut"];
type Begin = Schemas["SnapshotBeginOut"];
type End = Schemas["SnapshotEndOut"];
interface Line {
  cursor: string;
  sequence: number;
  record: Change;
}
/** A Merkle tree (RFC 9162), of which only the highest whole subtrees are kept. */
type Peaks = { level: number; node: Buffer }[];

/** Milliseconds without a byte, three heartbeats, after which a line is dead; a rehearsal is shorter. */
const SILENCE = Number(process.env["INTEGRATOR_SILENCE"] ?? "45") * 1000;
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
  file: string;
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
    this.#write({ cursor, sequence: record.sequence, record });
  }

  /** Take a snapshot, in a copy of its own: one that is cut, altered or of another register is not to be used. */
  async begin(lines: AsyncIterable<string>): Promise<void> {
    const buckets = Array.from({ length: 256 }, (): Peaks => []);
    let first: Begin | null = null;
    let count = 0;
    for await (const line of lines) {
      const read = JSON.parse(line) as Begin | Change | End;
      if (first === null) {
        first = read as Begin;
      } else if ("leaf" in read) {
        verify(read, read.sequence);
        add(buckets[sha256(read.entry_id ?? "")[0] ?? 0] ?? [], leafHash(read));
        this.#write({ cursor: first.cursor, sequence: first.sequence, record: read });
        count++;
      } else {
        prove(first, read as End, count, buckets.map(root));
        [this.cursor, this.sequence] = [first.cursor, first.sequence];
        return;
      }
    }
    throw new Error("the snapshot was cut");
  }

  #write(line: Line): void {
    writeSync(this.#journal, `${JSON.stringify(line)}\n`);
    this.#apply(line);
  }

  #apply({ cursor, sequence, record }: Line): void {
    [this.cursor, this.sequence] = [cursor, sequence];
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
    const hash = sha256(Buffer.from(record.salt, "hex"), canonical(record.personal));
    if (hash.toString("hex") !== leaf["commitment"]) {
      stop(`Record ${expected} is not the one to which its leaf commits.`);
    }
  }
}

function sha256(...parts: (string | Buffer)[]): Buffer {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
}

function leafHash(record: Change): Buffer {
  return sha256("\0", canonical(record.leaf));
}

function add(peaks: Peaks, node: Buffer): void {
  let level = 0;
  for (let left = peaks.at(-1); left?.level === level; left = peaks.at(-1), level++) {
    peaks.pop();
    node = sha256("\u0001", left.node, node);
  }
  peaks.push({ level, node });
}

function root(peaks: Peaks): Buffer {
  const nodes = peaks.map((each) => each.node);
  return nodes.length === 0 ? sha256() : nodes.reduceRight((right, left) => sha256("\u0001", left, right));
}

/** Hold that the lines are those whose digest was sealed, and that the signed checkpoint covers the seal. */
function prove(first: Begin, last: End, count: number, buckets: Buffer[]): void {
  const over: Peaks = [];
  for (const bucket of buckets) add(over, sha256("\0", bucket));
  const { sequence } = first;
  const seal = { kind: "digest", sequence, entries: last.entries, root: root(over).toString("hex") };
  const leaf = last.seal.leaf as Record<string, unknown>;
  if (canonical(leaf["seal"]) !== canonical(seal) || first.count !== count || last.count !== count) {
    stop("The snapshot is not the one whose digest was sealed.");
  }
  const [origin, size, top] = last.checkpoint.split("\n");
  let [index, end, node] = [Number(leaf["sequence"]) - 1, Number(size) - 1, leafHash(last.seal)];
  for (const step of last.path.map((each) => Buffer.from(each, "hex"))) {
    // RFC 9162 section 2.1.3.2
    if (index % 2 === 1 || index === end) {
      node = sha256("\u0001", step, node);
      while (index > 0 && index % 2 === 0) [index, end] = [index / 2, Math.floor(end / 2)];
    } else {
      node = sha256("\u0001", node, step);
    }
    [index, end] = [Math.floor(index / 2), Math.floor(end / 2)];
  }
  if (end !== 0 || node.toString("base64") !== top || origin !== first.origin) {
    stop("The snapshot's seal is not in the ledger that its checkpoint signs.");
  }
  if (!origin.endsWith(`/${first.cursor.split(".")[0]}`)) {
    stop("The snapshot's cursor is of another register than its checkpoint.");
  }
  const trusted = process.env["INTEGRATOR_TRUSTS"];
  if (trusted !== undefined) expectSigned(last.checkpoint, origin, Buffer.from(trusted, "base64"));
}

/** Hold that the register's key has signed the checkpoint (C2SP signed-note); `key` is 0x01 and the public key. */
function expectSigned(note: string, origin: string, key: Buffer): void {
  const cut = note.lastIndexOf("\n\n") + 1;
  const text = Buffer.from(note.slice(0, cut));
  if (key.length !== 33) stop("INTEGRATOR_TRUSTS is not the last part of an Ed25519 vkey.");
  const jwk = { kty: "OKP", crv: "Ed25519", x: key.subarray(1).toString("base64url") };
  const publicKey = createPublicKey({ key: jwk, format: "jwk" });
  const id = sha256(origin, "\n", key).subarray(0, 4);
  const good = note.slice(cut).split("\n").some((line) => {
    const signature = Buffer.from(line.split(" ")[2] ?? "", "base64");
    return signature.subarray(0, 4).equals(id) && isSigned(null, text, publicKey, signature.subarray(4));
  });
  if (!good) stop("The snapshot is not signed by the register that you trust.");
}

function say(event: string, more: object): void {
  console.log(JSON.stringify({ event, ...more }));
}

/** The lines of an answer, which end at line feeds alone; one without its end was cut. */
async function* wholeLines(body: ReadableStream<Uint8Array>, heard: () => void): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const part of body as unknown as AsyncIterable<Uint8Array>) {
    heard();
    const lines = (rest + decoder.decode(part, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
}

/** The events of a stream: fields up to an empty line. */
async function* events(lines: AsyncIterable<string>): AsyncGenerator<Map<string, string>> {
  let fields = new Map<string, string>();
  for await (const each of lines) {
    const line = each.replace(/\r$/, "");
    const colon = line.indexOf(":");
    if (colon > 0) fields.set(line.slice(0, colon), line.slice(colon + 1).replace(/^ /, ""));
    else if (line === "" && fields.size > 0) {
      yield fields;
      fields = new Map();
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
    const ask = (path: string, asked: Record<string, string>): Promise<Response> => {
      const headers = { Authorization: `Bearer ${process.env["INTEGRATOR_KEY"]}`, ...asked };
      return fetch(`${process.env["INTEGRATOR_URL"]}${path}`, { headers, signal: line.signal });
    };
    try {
      if (copy.cursor === null) {
        const answer = await ask("/v1/snapshot", { Accept: "application/x-ndjson" });
        if (answer.ok && answer.body !== null) copy = await begin(copy, wholeLines(answer.body, heard));
        else if (answer.status !== 404 && answer.status !== 401 && answer.status !== 403) {
          wait = 1000 * Number(answer.headers.get("Retry-After") ?? 0);
          throw new Error(`the service answered ${answer.status}`);
        }
      }
      const resume: Record<string, string> = copy.cursor === null ? {} : { "Last-Event-ID": copy.cursor };
      const answer = await ask("/v1/changes", { Accept: "text/event-stream", ...resume });
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
        for await (const event of events(wholeLines(answer.body, heard))) {
          failures = 0;
          wait = Number(event.get("retry") ?? wait);
          if (event.has("data")) copy = take(copy, event);
        }
        say("disconnected", { why: "the stream has ended" }); // Node says the same of a line that was cut
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

/** Begin with a snapshot, beside the copy, whose place it takes when it is complete and proved. */
async function begin(copy: Copy, lines: AsyncIterable<string>): Promise<Copy> {
  const { file } = copy;
  const part = `${file}.part`;
  rmSync(part, { force: true });
  const begun = new Copy(part);
  await begun.begin(lines);
  say("begun", { sequence: begun.sequence, entries: begun.entries.size });
  copy.close();
  renameSync(part, file);
  begun.file = file;
  return begun;
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
