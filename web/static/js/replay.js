// A window of the past: asks the server for the moment under the thumb, one question at a time, always the latest. While
// it plays, or goes on to the next stop, the server looks through what lies between for the first place to stop.

import { ask } from "./page.js";

const scrubber = document.getElementById("scrubber");
const slider = document.getElementById("scrubber-time");
const shown = document.getElementById("replay-moment");
const permalink = document.getElementById("replay-permalink");
const told = document.getElementById("replay-told");
const play = scrubber.querySelector("[data-play]");
const run = scrubber.querySelector("[data-run]");
const speed = scrubber.querySelector("[data-speed]");
const most = scrubber.querySelector("[data-stop-most]");
const queue = scrubber.querySelector("[data-stop-queue]");
const TICK_MS = 200;

let asked = null;
let busy = false;
let playing = null;
let at = 0; // where the thumb would be, in milliseconds: finer than its steps

const moment = () => shown.querySelector("[data-moment]").dataset;

function stops() {
  const events = [...scrubber.querySelectorAll("[data-stop-event]:checked")].map((each) => `event:${each.value}`);
  return most.value === "" ? events : [`queue:${queue.value}:${Number(most.value)}`, ...events];
}

function query(values, looking) {
  const found = new URLSearchParams(values);
  if (moment().position !== "0") found.set("shown", moment().position);
  if (looking) for (const stop of stops()) found.append("stop", stop);
  return found;
}

/** Shows what this asks for; true once it was shown. What is asked for meanwhile comes next, the last of it only. */
async function show(values, looking = false) {
  asked = { values, looking };
  if (busy) return false;
  busy = true;
  let done = false;
  while (asked !== null) {
    const next = asked;
    asked = null;
    const headers = { Accept: "text/html", "X-Requested-With": "fetch" };
    const answer = await ask(`${scrubber.dataset.url}?${query(next.values, next.looking)}`, { headers });
    done = answer !== null && answer.ok;
    if (!done) {
      scrubber.dataset.stale = "";
      told.textContent = told.dataset.lost;
      stop();
      continue;
    }
    delete scrubber.dataset.stale;
    // Parsed as a document of its own: whatever stands in it, nothing is fetched or run by it on the way.
    shown.replaceChildren(...new DOMParser().parseFromString(answer.text, "text/html").body.childNodes);
    settle(next);
  }
  busy = false;
  return done;
}

function settle({ values, looking }) {
  const here = Number(moment().at) / 1000;
  const short = looking && here < Number(values.at) / 1000;
  if ("stopped" in moment()) stop();
  // The thumb goes where the moment is, unless it is being dragged, or runs ahead of a moment between two events.
  if (playing === null ? document.activeElement !== slider || "position" in values : short) move(here);
  slider.setAttribute("aria-valuetext", shown.querySelector("strong").textContent);
  const link = new URL(permalink.href);
  link.search = new URLSearchParams({ from: scrubber.dataset.from, to: scrubber.dataset.to });
  const exact = ("position" in values || "stopped" in moment()) && moment().position !== "0";
  if (exact) link.searchParams.set("position", moment().position);
  else link.searchParams.set("at", moment().at);
  permalink.href = link.href;
}

function move(milliseconds) {
  at = milliseconds;
  slider.value = String(milliseconds);
}

function stop() {
  clearInterval(playing);
  playing = null;
  play.setAttribute("aria-pressed", "false");
}

function step(direction) {
  stop();
  told.textContent = "";
  const position = direction === "on" ? moment().next : moment().previous;
  if (position !== "0") show({ position });
}

function toggle() {
  if (playing !== null) {
    stop();
    return;
  }
  told.textContent = "";
  at = Number(slider.value);
  play.setAttribute("aria-pressed", "true");
  playing = setInterval(() => {
    if (busy && stops().length) return; // no stop is passed over: the next stretch begins where this one ends
    move(Math.min(at + TICK_MS * Number(speed.value), Number(slider.max)));
    if (at >= Number(slider.max)) stop();
    show({ at: Math.round(at * 1000) }, stops().length > 0);
  }, TICK_MS);
}

async function goOn() {
  stop();
  told.textContent = stops().length ? "" : told.dataset.none;
  if (!stops().length || busy) return;
  run.setAttribute("aria-busy", "true");
  const end = Number(scrubber.dataset.to);
  let before = null;
  while (before !== moment().position) {
    before = moment().position;
    // From before the first event there is nothing to look on from: the first event is the first step.
    const values = before === "0" ? { position: moment().next } : { at: end };
    if (!(await show(values, true)) || "stopped" in moment()) break;
    if (Number(moment().at) >= end) {
      told.textContent = told.dataset.end;
      break;
    }
  }
  run.removeAttribute("aria-busy");
}

slider.addEventListener("input", () => {
  stop();
  at = Number(slider.value);
  show({ at: Math.round(at * 1000) });
});
for (const button of scrubber.querySelectorAll("[data-step]")) {
  button.addEventListener("click", () => step(button.dataset.step));
}
play.addEventListener("click", toggle);
run.addEventListener("click", goOn);

document.getElementById("replay-stops").addEventListener("input", () => {
  const count = stops().length;
  scrubber.querySelector("[data-stops-set]").textContent = count ? `(${count})` : "";
});

// Only while the focus is in here, and not where something is written.
scrubber.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.target.matches("input[type=number], select")) return;
  const by = { "+": 1, "-": -1 }[event.key] ?? 0;
  const does = { ",": () => step("back"), ".": () => step("on"), p: toggle, n: goOn }[event.key];
  if (!does && !by) return;
  event.preventDefault();
  if (by) speed.selectedIndex = Math.min(Math.max(speed.selectedIndex + by, 0), speed.options.length - 1);
  else does();
});
