// The player of a recording: both sides' shapes, in which one moves by mouse and keyboard. The sound comes in ranges,
// and only once somebody plays it: that is when their listening is recorded.

import { ask, duration } from "./page.js";

const WIDE = 600;
const TALL = 100;
const LOUDEST = 254;
const SECONDS = { ArrowLeft: -5, ArrowDown: -5, ArrowRight: 5, ArrowUp: 5, PageDown: -30, PageUp: 30 };

for (const player of document.querySelectorAll("[data-player]")) begin(player);

function begin(player) {
  const find = (name) => player.querySelector(`[data-${name}]`);
  const audio = player.querySelector("audio");
  const [wave, play, speed, side] = [find("wave"), find("play"), find("speed"), find("side")];
  let length = Number(player.dataset.length) / 1000;

  audio.controls = false;
  find("controls").hidden = wave.hidden = false;

  function show() {
    const at = Math.min(audio.currentTime, length || audio.currentTime);
    const x = length ? (at / length) * WIDE : 0;
    wave.querySelector(".played").setAttribute("width", x);
    wave.querySelector(".now").setAttribute("x1", x);
    wave.querySelector(".now").setAttribute("x2", x);
    const words = `${duration(at * 1000)} / ${duration(length * 1000)}`;
    wave.setAttribute("aria-valuemax", Math.round(length));
    wave.setAttribute("aria-valuenow", Math.round(at));
    wave.setAttribute("aria-valuetext", words);
    find("time").textContent = words;
    play.setAttribute("aria-pressed", String(!audio.paused));
  }

  function to(seconds) {
    audio.currentTime = Math.max(0, Math.min(seconds, length));
    show();
  }

  async function toggle() {
    if (!audio.paused) {
      audio.pause();
      return;
    }
    try {
      await audio.play();
    } catch (error) {
      if (error.name !== "AbortError") await fail();
    }
  }

  // The element says only that it failed; the server says why.
  async function fail() {
    const headers = { "X-Requested-With": "fetch", Accept: "application/json", Range: "bytes=0-0" };
    const answer = await ask(audio.src, { headers });
    const problem = find("problem");
    problem.textContent = answer?.said?.detail ?? player.dataset.failed;
    problem.hidden = false;
  }

  play.addEventListener("click", toggle);
  for (const button of player.querySelectorAll("[data-by]")) {
    button.addEventListener("click", () => to(audio.currentTime + Number(button.dataset.by)));
  }
  speed.addEventListener("change", () => {
    audio.playbackRate = Number(speed.value);
  });
  side.addEventListener("change", () => listen(audio, side.value));
  wave.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === " ") toggle();
    else if (event.key === "Home") to(0);
    else if (event.key === "End") to(length);
    else if (event.key in SECONDS) to(audio.currentTime + SECONDS[event.key]);
    else return;
    event.preventDefault();
  });
  wave.addEventListener("pointerdown", (event) => {
    const box = wave.getBoundingClientRect();
    to(((event.clientX - box.left) / box.width) * length);
  });
  audio.addEventListener("loadedmetadata", () => {
    if (Number.isFinite(audio.duration)) length = audio.duration;
    show();
  });
  for (const name of ["timeupdate", "play", "pause", "ended", "seeked"]) audio.addEventListener(name, show);
  audio.addEventListener("playing", () => {
    find("problem").hidden = true;
  });
  show();
  draw(player, wave, (seconds) => {
    length = seconds;
    show();
  });
}

/** The shapes, as lines up and down from the middle of each side's half. */
async function draw(player, wave, told) {
  const answer = await ask(player.dataset.shape, { headers: { Accept: "application/json" } });
  const shape = answer?.ok ? answer.said : null;
  if (shape === null) return;
  told(shape.length_ms / 1000);
  const half = TALL / 2;
  shape.sides.forEach((peaks, place) => {
    const step = WIDE / peaks.length;
    const middle = shape.sides.length === 1 ? half : half / 2 + place * half;
    const most = (shape.sides.length === 1 ? half : half / 2) - 2;
    const lines = peaks.map((peak, at) => {
      const tall = Math.max(0.4, (peak / LOUDEST) * most);
      return `M${((at + 0.5) * step).toFixed(2)} ${(middle - tall).toFixed(2)}v${(2 * tall).toFixed(2)}`;
    });
    wave.querySelector(place === 0 ? ".caller" : ".agent").setAttribute("d", lines.join(""));
  });
  for (const label of wave.querySelectorAll(".side")) label.hidden = shape.sides.length === 1;
}

const graphs = new WeakMap(); // an element can be taken into one graph only

/** Hear both sides, or one of them in both ears. */
async function listen(audio, which) {
  let graph = graphs.get(audio);
  if (graph === undefined) {
    const context = new AudioContext();
    const [splitter, merger] = [context.createChannelSplitter(2), context.createChannelMerger(2)];
    context.createMediaElementSource(audio).connect(splitter);
    merger.connect(context.destination);
    graph = { context, splitter, merger };
    graphs.set(audio, graph);
  }
  await graph.context.resume();
  graph.splitter.disconnect();
  for (const ear of [0, 1]) {
    graph.splitter.connect(graph.merger, which === "both" ? ear : Number(which), ear);
  }
}
