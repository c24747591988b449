// Lights up what belongs together on a result's page: a point of the field, its nerve fibres on the
// retina, the place where they cross the circle, the columns of the B-scan; or a disc sector and the
// points that it serves. Pointer and keyboard do the same; what was pressed stays until let go.
"use strict";

const linked = document.querySelector("[data-linked]");
const readout = document.querySelector("[data-readout]");
const tip = document.createElement("div");
// Everywhere on the page, so that a comparison lights up too.
const everything = document.getElementById("content");

let kept = null;
let focused = null;
let hovered = null;

function nameOf(element) {
  const bearer = element.closest?.("[data-point], [data-stretch]");
  if (!bearer) return null;
  const { point, stretch } = bearer.dataset;
  return point ? `point ${point}` : `stretch ${stretch}`;
}

function partsOf(name) {
  const [kind, value] = name.split(" ");
  const own = `[data-${kind}="${CSS.escape(value)}"]`;
  return kind === "point" ? own : `${own}, [data-sector="${CSS.escape(value)}"]`;
}

function speakerOf(name) {
  const [kind, value] = name.split(" ");
  return linked.querySelector(`[data-${kind}="${CSS.escape(value)}"][aria-label]`);
}

function show() {
  const name = hovered ?? focused ?? kept;
  for (const lit of everything.querySelectorAll(".lit")) lit.classList.remove("lit");
  linked.classList.toggle("linking", name !== null);
  readout.hidden = name === null;
  readout.textContent = name === null ? "" : speakerOf(name).getAttribute("aria-label");
  for (const button of linked.querySelectorAll("[aria-pressed]")) {
    button.setAttribute("aria-pressed", String(nameOf(button) === kept));
  }
  if (name === null) return hideTip();
  for (const part of everything.querySelectorAll(partsOf(name))) part.classList.add("lit");
}

function showTip(element, name) {
  const words = speakerOf(name).dataset.tip;
  if (!words || !element.closest("svg.field")) return hideTip();
  tip.textContent = words;
  tip.hidden = false;
  const place = element.getBoundingClientRect();
  const left = place.left + place.width / 2 - tip.offsetWidth / 2;
  tip.style.left = `${Math.max(4, Math.min(left, document.documentElement.clientWidth - tip.offsetWidth - 4))}px`;
  tip.style.top = `${Math.max(4, place.top - tip.offsetHeight - 6)}px`;
}

function hideTip() {
  tip.hidden = true;
}

function keep(name) {
  kept = kept === name ? null : name;
  show();
}

// The neighbour in the direction of an arrow: within the row, or nearest in the next one.
function neighbour(point, key) {
  const x = Number(point.dataset.x);
  const y = Number(point.dataset.y);
  const sideways = key === "ArrowLeft" || key === "ArrowRight";
  const sign = key === "ArrowRight" || key === "ArrowDown" ? 1 : -1;
  let best = null;
  let least = Infinity;
  for (const other of point.parentNode.querySelectorAll(".point")) {
    const dx = Number(other.dataset.x) - x;
    const dy = Number(other.dataset.y) - y;
    const ahead = sign * (sideways ? dx : dy);
    if (ahead <= 0 || (sideways && dy !== 0)) continue;
    const distance = sideways ? ahead : ahead * 100 + Math.abs(dx);
    if (distance < least) [best, least] = [other, distance];
  }
  return best;
}

function beside(stretch, key) {
  if (key === "ArrowRight") return stretch.nextElementSibling?.closest(".stretch");
  return key === "ArrowLeft" ? stretch.previousElementSibling?.closest(".stretch") : null;
}

function moveTo(from, to) {
  if (!to) return;
  from.setAttribute("tabindex", "-1");
  to.setAttribute("tabindex", "0");
  to.focus();
}

function onKey(event) {
  const button = event.target.closest(".point, .stretch");
  if (event.key === "Escape") {
    kept = hovered = focused = null;
    show();
  } else if (button && (event.key === "Enter" || event.key === " ")) {
    event.preventDefault();
    keep(nameOf(button));
  } else if (button && event.key.startsWith("Arrow")) {
    event.preventDefault();
    const isPoint = button.classList.contains("point");
    moveTo(button, isPoint ? neighbour(button, event.key) : beside(button, event.key));
  }
}

function onHover(event) {
  // A finger does not hover: it presses.
  const name = event.pointerType === "touch" ? null : nameOf(event.target);
  if (name === hovered) return;
  hovered = name && speakerOf(name) ? name : null;
  show();
  if (hovered) showTip(event.target, hovered);
}

function onFocus(event) {
  const button = event.type === "focusin" ? event.target.closest(".point, .stretch") : null;
  focused = button && nameOf(button);
  show();
  if (focused) showTip(button, focused);
}

function onPress(event) {
  const name = nameOf(event.target);
  if (name && speakerOf(name) && !event.target.closest("a, button")) keep(name);
}

// Without this script nothing can be pressed, so nothing says before that it can.
function makeButtons(selector) {
  linked.querySelectorAll(selector).forEach((element, index) => {
    element.setAttribute("role", "button");
    element.setAttribute("aria-pressed", "false");
    // One stop for the Tab key; arrows go on from there.
    element.setAttribute("tabindex", index === 0 ? "0" : "-1");
  });
}

if (linked && readout) {
  tip.className = "tip";
  tip.hidden = true;
  tip.setAttribute("aria-hidden", "true");
  document.body.append(tip);
  makeButtons(".point");
  makeButtons(".stretch");
  linked.querySelector("[data-hint]").hidden = false;
  everything.addEventListener("pointerover", onHover);
  everything.addEventListener("pointerleave", onHover);
  everything.addEventListener("focusin", onFocus);
  everything.addEventListener("focusout", onFocus);
  everything.addEventListener("click", onPress);
  document.addEventListener("keydown", onKey);
  addEventListener("scroll", hideTip, { passive: true });
}
