// Waits while a day is played: asks how far it has come, which also says that somebody waits, and shows the answer.

import { ask } from "./page.js";

const shown = document.getElementById("whatif-progress");
const EVERY_MS = 1000;

async function look() {
  const answer = await ask(shown.dataset.url);
  if (answer !== null && answer.ok && answer.said !== null) {
    if (answer.said.state !== "running") {
      location.reload();
      return;
    }
    const bar = shown.querySelector("progress");
    if (answer.said.plays) {
      bar.max = answer.said.plays;
      bar.value = answer.said.done;
      shown.querySelector("[data-done]").textContent = `${answer.said.done} / ${answer.said.plays}`;
    }
  }
  setTimeout(look, EVERY_MS);
}

setTimeout(look, EVERY_MS);
