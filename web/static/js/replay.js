// The time slider: asks the server for the moment under the thumb, one question at a time, always the latest.

import { ask } from "./page.js";

const scrubber = document.getElementById("scrubber");
const slider = document.getElementById("scrubber-time");
const shown = document.getElementById("replay-moment");
const permalink = document.getElementById("replay-permalink");
const play = scrubber.querySelector("[data-play]");
const speed = scrubber.querySelector("[data-speed]");
const TICK_MS = 200;

let asked = null;
let busy = false;
let playing = null;

function moment() {
  return shown.querySelector("[data-moment]").dataset;
}

async function show(query) {
  asked = query;
  if (busy) return;
  busy = true;
  while (asked !== null) {
    const next = asked;
    asked = null;
    const headers = { Accept: "text/html", "X-Requested-With": "fetch" };
    const answer = await ask(`${scrubber.dataset.url}?${next}`, { headers });
    if (answer === null || !answer.ok) {
      scrubber.dataset.stale = "";
      stop();
      continue;
    }
    delete scrubber.dataset.stale;
    // Parsed as a document of its own: whatever stands in it, nothing is fetched or run by it on the way.
    shown.replaceChildren(...new DOMParser().parseFromString(answer.text, "text/html").body.childNodes);
    settle();
  }
  busy = false;
}

function settle() {
  const at = Number(moment().at) / 1000;
  if (playing === null && document.activeElement !== slider) slider.value = String(at);
  slider.setAttribute("aria-valuetext", shown.querySelector("strong").textContent);
  const link = new URL(permalink.href);
  link.searchParams.set("at", moment().at);
  permalink.href = link.href;
}

function stop() {
  clearInterval(playing);
  playing = null;
  play.setAttribute("aria-pressed", "false");
}

slider.addEventListener("input", () => show(`at=${Math.round(Number(slider.value) * 1000)}`));

for (const button of scrubber.querySelectorAll("[data-step]")) {
  button.addEventListener("click", () => {
    stop();
    const position = button.dataset.step === "on" ? moment().next : moment().previous;
    if (position !== "0") show(`position=${position}`);
  });
}

play.addEventListener("click", () => {
  if (playing !== null) {
    stop();
    return;
  }
  play.setAttribute("aria-pressed", "true");
  playing = setInterval(() => {
    const next = Number(slider.value) + TICK_MS * Number(speed.value);
    if (next >= Number(slider.max)) stop();
    slider.value = String(Math.min(next, Number(slider.max)));
    show(`at=${Math.round(Number(slider.value) * 1000)}`);
  }, TICK_MS);
});
