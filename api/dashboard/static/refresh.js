// Replaces the list of results when it has changed, and says so when the node no longer answers.
"use strict";

const list = document.getElementById("results");
const stale = document.getElementById("stale");

function show(newer) {
  if (newer.innerHTML === list.innerHTML) return;
  const focused = list.contains(document.activeElement) && document.activeElement.getAttribute("href");
  list.innerHTML = newer.innerHTML;
  if (focused) list.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus();
}

async function refresh() {
  if (document.hidden) return;
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (answer.redirected) location.reload();
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  show(page.getElementById("results"));
}

async function turn() {
  try {
    await refresh();
    stale.hidden = true;
  } catch {
    stale.hidden = false;
  }
}

setInterval(turn, 1000 * Number(list.dataset.refreshSeconds));
