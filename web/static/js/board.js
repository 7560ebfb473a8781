// A board with more queues than fit turns its pages slowly: so many tiles at a time, for so many seconds, as its address
// asks for (?tiles=6&every=20). Any key stops it; Space goes on, arrows turn. Whoever wants no motion sees all at once.

import "./push.js";

const told = document.getElementById("board-page");
const calm = matchMedia("(prefers-reduced-motion: reduce)");
let page = 0;
let stopped = false;
let turned = Date.now();

function show() {
  const tiles = [...document.querySelectorAll("#tiles > article")];
  const most = calm.matches ? tiles.length : Number(told.dataset.tiles);
  const pages = Math.max(1, Math.ceil(tiles.length / Math.max(1, most)));
  page = (page + pages) % pages;
  tiles.forEach((tile, place) => (tile.hidden = Math.floor(place / most) !== page));
  const words = told.dataset.words.replace("{page}", page + 1).replace("{pages}", pages);
  const text = stopped ? `${words} · ${told.dataset.still}` : words;
  if (told.textContent !== text) told.textContent = text;
  told.hidden = pages === 1;
}

function turn(by) {
  page += by;
  turned = Date.now();
  show();
}

if (told) {
  document.addEventListener("patched", show);
  calm.addEventListener("change", show);
  document.addEventListener("keydown", (event) => {
    if (["Shift", "Control", "Alt", "Meta", "Tab"].includes(event.key)) return;
    const by = { ArrowRight: 1, ArrowLeft: -1, PageDown: 1, PageUp: -1 }[event.key] ?? 0;
    stopped = !(event.key === " " && stopped);
    if (by || event.key === " ") event.preventDefault();
    turn(by);
  });
  setInterval(() => {
    if (!stopped && !calm.matches && Date.now() - turned >= 1000 * Number(told.dataset.every)) turn(1);
  }, 250);
  show();
}
