// Replaces the list of results when it has changed, and says so when the node no longer answers.
// The node tells of changes; where its stream cannot be had, the list is asked for at intervals.
"use strict";

const list = document.getElementById("results");
const stale = document.getElementById("stale");
// Many changes come together: one look is enough for all of them.
const GATHER_MILLISECONDS = 250;

let stream = null;
let pending = null;

function show(newer) {
  if (newer.innerHTML === list.innerHTML) return;
  const focused = list.contains(document.activeElement) && document.activeElement.getAttribute("href");
  list.innerHTML = newer.innerHTML;
  if (focused) list.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus();
}

async function refresh() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (answer.redirected) location.reload();
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  show(page.getElementById("results"));
}

async function turn() {
  pending = null;
  if (document.hidden) return;
  try {
    await refresh();
    stale.hidden = true;
  } catch {
    stale.hidden = false;
  }
}

function soon() {
  pending ??= setTimeout(turn, GATHER_MILLISECONDS);
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

document.addEventListener("visibilitychange", attend);
addEventListener("pagehide", leave);
attend();

setInterval(() => {
  if (isListening() || document.hidden) return;
  if (stream?.readyState === EventSource.CLOSED) leave();
  attend();
  soon();
}, 1000 * Number(list.dataset.refreshSeconds));
