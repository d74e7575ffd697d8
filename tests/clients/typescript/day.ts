// An officer's and a counter's day, by the types that openapi-typescript makes of the API's document, with openapi-fetch.
//
// Run by tests/workflows/test_generated_clients.py, after tsc has checked it. Reads from its standard input where the
// service is, the keys and the bodies; says at the end what it has seen.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import createClient, { type Client } from "openapi-fetch";
import type { components, paths } from "./schema.js";

type Schemas = components["schemas"];
type AlertEvent = Schemas["AlertFrameOut"] | Schemas["AlertHeartbeatFrameOut"];

interface Given {
  url: string;
  keys: Record<"officer" | "duty" | "counter", string>;
  urgent: Schemas["UrgentEntryIn"];
  check: Schemas["CheckIn"];
  search: Schemas["SearchIn"];
}

const given: Given = JSON.parse(readFileSync(0, "utf8"));

function client(role: keyof Given["keys"]): Client<paths> {
  return createClient<paths>({ baseUrl: given.url, headers: { Authorization: `Bearer ${given.keys[role]}` } });
}

/** The answer's body; a problem ends the day. */
function expect<T>(answer: { data?: T; error?: unknown }): T {
  assert.ok(answer.data !== undefined, JSON.stringify(answer.error));
  return answer.data;
}

/** The events of a stream, each with its data read. */
async function* events(body: ReadableStream<Uint8Array>): AsyncGenerator<AlertEvent> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const part of body as unknown as AsyncIterable<Uint8Array>) {
    text += decoder.decode(part, { stream: true });
    for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
      const fields = new Map(text.slice(0, end).split("\n").map((line) => {
        const colon = line.indexOf(": ");
        return [line.slice(0, colon), line.slice(colon + 2)] as const;
      }));
      text = text.slice(end + 2);
      const data = fields.get("data");
      if (data !== undefined) {
        yield { event: fields.get("event"), id: fields.get("id"), data: JSON.parse(data) } as AlertEvent;
      }
    }
  }
}

async function firstAlert(body: ReadableStream<Uint8Array>): Promise<Schemas["AlertOut"]> {
  for await (const event of events(body)) {
    if (event.event === "alert") return event.data;
  }
  throw new Error("the stream ended without an alert");
}

const officer = client("officer");
const duty = client("duty");
const counter = client("counter");

const before = expect(await officer.GET("/v1/worklist"));
const stream = await counter.GET("/v1/alerts/stream", { parseAs: "stream" });
const made = expect(
  await officer.POST("/v1/urgent-entries", {
    params: { header: { "Idempotency-Key": "a-day" } },
    body: given.urgent,
  }),
);
const alert = await firstAlert(expect(stream) as ReadableStream<Uint8Array>);
const about = { params: { path: { alert_id: alert.id } } };
const receipt = expect(
  await counter.POST("/v1/alerts/{alert_id}/receipts", {
    ...about,
    body: { level: "acknowledged", officer_reference: "Counter 7" },
  }),
);
const first = expect(await counter.POST("/v1/checks", { body: given.check }));
const entry = { path: { entry_id: made.entry.id } };
const decided = expect(
  await duty.POST("/v1/entries/{entry_id}/decisions", {
    params: { ...entry, header: { "If-Match": `"${made.entry.version}"` } },
    body: { verdict: "countersign" },
  }),
);
const second = expect(await counter.POST("/v1/checks", { body: given.check }));
const again = expect(await counter.GET("/v1/checks/{check_id}", { params: { path: { check_id: second.id } } }));
const polled = expect(await counter.GET("/v1/alerts"));
const coverage = expect(await officer.GET("/v1/alerts/{alert_id}/coverage", about));
const found = expect(await officer.POST("/v1/entries/search", { body: given.search }));
const now = expect(await officer.GET("/v1/entries/{entry_id}", { params: entry }));
const history = expect(await officer.GET("/v1/entries/{entry_id}/history", { params: entry }));
const photo = await officer.GET("/v1/entries/{entry_id}/photo", { params: entry, parseAs: "arrayBuffer" });

console.log(
  JSON.stringify({
    tasks_before: before.items.length,
    alert: alert.id === made.alert?.id && alert.kind === "raise",
    receipt: receipt.level,
    countersigned: decided.countersigned_at !== null,
    actions: [first.action, second.action],
    same_answer: again.checked_at === second.checked_at,
    polled: polled.items.length,
    acknowledged: coverage.acknowledged,
    found: found.items.map((each) => each.id === made.entry.id),
    state: now.state,
    history: history.items.map((step) => step.event),
    photo: Buffer.from(expect(photo) as ArrayBuffer).subarray(0, 4).toString("hex"),
  }),
);
process.exit(0);
