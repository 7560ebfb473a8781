// What every page does: counts up times that pass, and sends forms of ours as what they are.
//
//   <time class="since" data-since="MILLISECONDS">   counts up from then; the server's clock is the one that counts
//   <button data-confirm="Really?">                  asks first
//   <form data-once>                                 cannot be sent twice by a double click

const started = performance.now();
const local = Date.now();
// The Date header of the page would be best, but scripts cannot see it: the base template could tell, a stream does.
let ahead = 0;

/** Milliseconds since 1970 by the server's clock, as far as it told us. */
export const now = () => local + (performance.now() - started) + ahead;

let heard = []; // how far ahead the server's clock was, the last times that it told

/** The server's clock says that it is this late; `page.js` counts from it. What was long on its way says less. */
export const setClock = (milliseconds) => {
  heard = [...heard.slice(-7), milliseconds - (local + (performance.now() - started))];
  ahead = Math.max(...heard);
};

/** Whether the server has told its clock. */
export const hasClock = () => heard.length > 0;

/** The token that goes into the X-CSRFToken header of whatever changes something. */
export const token = () => document.querySelector("meta[name=csrf-token]").content;

/** 02:05, or 1:02:05 from an hour on. */
export function duration(milliseconds) {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const two = (number) => String(number).padStart(2, "0");
  const hours = Math.floor(seconds / 3600);
  const rest = `${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  return hours ? `${hours}:${rest}` : rest;
}

/** The server's answer to fetch(url, options) as {ok, type, status, text, said}; `said` is its JSON, null where it is
    none. Null where there is no connection, and where the answer has not come to its end within withinMs: a network
    that is away says nothing at all, also in the midst of an answer. */
export async function ask(url, options = {}, withinMs = 15000) {
  try {
    const answer = await fetch(url, { ...options, signal: AbortSignal.timeout(withinMs) });
    const text = await answer.text();
    return { ok: answer.ok, type: answer.type, status: answer.status, text, said: json(text) };
  } catch {
    return null;
  }
}

function json(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** POST with the token; the answer as `ask` has it. It is problem details, not a page, where something is refused. */
export function post(url, fields = {}, withinMs = 15000) {
  const headers = { "X-CSRFToken": token(), "X-Requested-With": "fetch" };
  return ask(url, { method: "POST", body: new URLSearchParams(fields), headers, redirect: "manual" }, withinMs);
}

function tick() {
  for (const each of document.querySelectorAll("time.since[data-since]")) {
    const text = duration(now() - Number(each.dataset.since));
    if (each.textContent !== text) each.textContent = text;
  }
}

setInterval(tick, 500);
tick();
// What a stream puts in place is counted at once, and not shown as a time of day until the next tick.
new MutationObserver(tick).observe(document.body, { childList: true, subtree: true });

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-confirm]");
  if (button && !window.confirm(button.dataset.confirm)) event.preventDefault();
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("[data-once]")) return;
  if (form.dataset.sent) event.preventDefault();
  else {
    form.dataset.sent = "yes";
    form.querySelectorAll("button").forEach((button) => button.setAttribute("aria-busy", "true"));
  }
});

// The person's menu closes like a menu.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const open of document.querySelectorAll("details.person[open]")) {
    open.open = false;
    open.querySelector("summary").focus();
  }
});

// "Show" beside something masked: the whole text takes its place. Without scripts the form opens a page with it.
document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.matches("form.reveal")) return;
  event.preventDefault();
  const answer = await post(form.action, Object.fromEntries(new FormData(form)));
  if (!answer?.ok || !answer.said) return;
  const shown = form.previousElementSibling;
  if (shown) shown.textContent = answer.said.text;
  form.remove();
});
