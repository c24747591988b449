// Lets a part of a page follow what happens: it is asked for anew when the node tells of a change, and
// a banner says so when the node no longer answers. The part says how: data-live is the number of
// seconds after which it is asked for where no stream of changes can be had, and hx-trigger is "live".
"use strict";

const part = document.querySelector("[data-live]");
const stale = document.getElementById("stale");
// Many changes come together: one look is enough for all of them, and one a second for any number.
const GATHER_MILLISECONDS = 250;
const LEAST_MILLISECONDS = 1000;
// A connection may be dead without anybody noticing: the list is asked for now and then whatever is told.
const LONGEST_MILLISECONDS = 60000;

let stream = null;
let pending = null;
let lastAsked = -LEAST_MILLISECONDS;
let shown = "";

function turn() {
  pending = null;
  if (document.hidden) return;
  lastAsked = performance.now();
  // Its file may not have come.
  if (typeof htmx === "undefined") stale.hidden = false;
  else htmx.trigger(part, "live");
}

function soon() {
  const rest = lastAsked + LEAST_MILLISECONDS - performance.now();
  pending ??= setTimeout(turn, Math.max(GATHER_MILLISECONDS, rest));
}

function isListening() {
  return stream !== null && stream.readyState === EventSource.OPEN;
}

function listen() {
  stream = new EventSource("/v1/events");
  stream.onopen = soon;
  stream.onmessage = soon;
  stream.onerror = soon;
}

function leave() {
  stream?.close();
  stream = null;
}

// A browser opens six connections to a node at most: pages that nobody sees must not hold one.
function attend() {
  if (document.hidden) leave();
  else if (stream === null) listen();
}

function isOfPart(event) {
  return event.detail.target === part || event.detail.elt === part;
}

// What is the same stays: selections and the reader's place in it.
function keepSame(event) {
  if (!isOfPart(event) || !event.detail.shouldSwap) return;
  stale.hidden = true;
  if (event.detail.serverResponse === shown) event.detail.shouldSwap = false;
  shown = event.detail.serverResponse;
}

function tellStale(event) {
  if (!isOfPart(event)) return;
  // The session has ended: the page itself asks to sign in.
  if (event.detail.xhr?.status === 401) location.reload();
  stale.hidden = false;
}

if (part !== null) {
  document.addEventListener("htmx:beforeSwap", keepSame);
  document.addEventListener("htmx:responseError", tellStale);
  document.addEventListener("htmx:sendError", tellStale);
  document.addEventListener("htmx:timeout", tellStale);
  document.addEventListener("visibilitychange", attend);
  addEventListener("pagehide", leave);
  addEventListener("pageshow", attend);
  attend();
  setInterval(() => {
    const isRecent = performance.now() - lastAsked < LONGEST_MILLISECONDS;
    if ((isListening() && isRecent) || document.hidden) return;
    if (stream?.readyState === EventSource.CLOSED) leave();
    attend();
    soon();
  }, 1000 * Number(part.dataset.live));
} else {
  // Older scans stand still: what else is chosen leads back to the newest.
  const filters = document.getElementById("filters");
  filters.addEventListener("change", () => filters.requestSubmit());
}
