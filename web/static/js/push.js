// One stream for the page: parts of it are replaced as the server sends them, and it says so when it may be old.
//
// A part is an element with an id. What somebody is typing into is left alone: a part with data-keep stays as long as
// the server sends the same data-keep, and an open menu (data-hold) stays open with what was typed into it.

import { ask, duration, now, post, setClock } from "./page.js";

/** A name that nobody else has. crypto.randomUUID is there over HTTPS and on this machine only. */
export function unique() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

// What this page calls itself, the same after it is loaded again, and another in another window.
export const page = await ownName();

// A tab that was duplicated begins with a copy of the first one's memory, name and all; a lock tells them apart, since
// the first one holds it for as long as it lives. A page that is loaded again may come before the old one lets go.
async function ownName() {
  let name = sessionStorage.getItem("ringledger-page") || unique();
  for (let tries = 1; navigator.locks && !(await hold(name)); tries += 1) {
    if (tries < 5) await new Promise((resolve) => setTimeout(resolve, 100));
    else name = unique();
  }
  sessionStorage.setItem("ringledger-page", name);
  return name;
}

function hold(name) {
  return new Promise((resolve) => {
    navigator.locks.request(`ringledger-page-${name}`, { ifAvailable: true }, (lock) => {
      resolve(lock !== null);
      return lock && new Promise(() => {});
    });
  });
}

const BEAT_MS = 15000; // how often the server sends a sign of life, where it does not say when the next one comes
const ON_THE_WAY_MS = 2000; // how much later it may come
const MISSED_MS = 2 * BEAT_MS + ON_THE_WAY_MS; // two of them
const ANSWER_MS = 5000; // within this the server answers us, or it is not to be reached
const sent = new Map(); // id of a part to what the server sent last

function parse(html) {
  return new DOMParser().parseFromString(html, "text/html").body;
}

function holdOpen(old, fresh) {
  for (const menu of old.querySelectorAll("details[data-hold][open]")) {
    const same = menu.id && fresh.querySelector(`#${CSS.escape(menu.id)}`);
    if (!same) continue;
    same.open = true;
    for (const input of menu.querySelectorAll("input[id]")) {
      const again = same.querySelector(`#${CSS.escape(input.id)}`);
      if (again) again.value = input.value;
    }
  }
}

function replaceContent(old, fresh) {
  const focused = old.contains(document.activeElement) ? document.activeElement.id : "";
  holdOpen(old, fresh);
  for (const name of old.getAttributeNames()) if (!fresh.hasAttribute(name)) old.removeAttribute(name);
  for (const name of fresh.getAttributeNames()) {
    if (old.getAttribute(name) !== fresh.getAttribute(name)) old.setAttribute(name, fresh.getAttribute(name));
  }
  old.replaceChildren(...fresh.childNodes);
  if (focused) {
    const again = document.getElementById(focused);
    if (again && !again.disabled) again.focus({ preventScroll: true });
  }
}

// Put parts of the page in place of those with the same ids. Returns the elements that changed.
export function patch(html) {
  const changed = [];
  for (const fresh of [...parse(html).children]) {
    const old = fresh.id ? document.getElementById(fresh.id) : null;
    if (!old) continue;
    const text = fresh.outerHTML;
    if (sent.get(fresh.id) === text) continue;
    sent.set(fresh.id, text);
    if (fresh.dataset.keep && fresh.dataset.keep === old.dataset.keep) continue;
    const fetched = fresh.dataset.fetch !== undefined;
    if (fetched) {
      if (old.dataset.fetch === fresh.dataset.fetch) continue;
      old.dataset.fetch = fresh.dataset.fetch;
      load(old);
    } else {
      replaceContent(old, fresh);
    }
    changed.push(old);
  }
  if (changed.length) document.dispatchEvent(new CustomEvent("patched", { detail: changed }));
  return changed;
}

// Fill a part from its data-fetch; the last address wins, whatever order the answers come in.
export async function load(part) {
  const url = part.dataset.fetch;
  if (!url) {
    part.replaceChildren();
    part.removeAttribute("data-loaded");
    return;
  }
  const typing = part.contains(document.activeElement) && document.activeElement.matches("input, textarea");
  if (typing && part.dataset.loaded && sameThing(part.dataset.loaded, url)) return;
  part.setAttribute("aria-busy", "true");
  const headers = { Accept: "text/html", "X-Requested-With": "fetch" };
  const answer = await ask(url, { headers });
  if (part.dataset.fetch !== url) return;
  part.removeAttribute("aria-busy");
  if (!answer || !answer.ok) {
    part.dataset.failed = answer ? "" : "unanswered"; // that is tried again when the server is heard of
    return;
  }
  delete part.dataset.failed;
  const fresh = document.createElement("section");
  fresh.replaceChildren(...parse(answer.text).childNodes);
  const replacing = new CustomEvent("replacing", { bubbles: true, cancelable: true, detail: fresh });
  if (!part.dispatchEvent(replacing)) return; // what stands there is to stay
  holdOpen(part, fresh);
  part.replaceChildren(...fresh.childNodes);
  part.dataset.loaded = url;
  document.dispatchEvent(new CustomEvent("patched", { detail: [part] }));
}

// The same page of the server, but for its version.
function sameThing(one, other) {
  const [a, b] = [one, other].map((url) => new URL(url, location.href));
  a.searchParams.delete("v");
  b.searchParams.delete("v");
  return a.href === b.href;
}

// --- times ----------------------------------------------------------------------------------------------------------

function tick() {
  const at = now();
  for (const each of document.querySelectorAll("[data-until]")) {
    const left = Math.max(0, Number(each.dataset.until) - at);
    if (each instanceof HTMLProgressElement) each.value = left;
    else if (each.textContent !== duration(left + 999)) each.textContent = duration(left + 999);
  }
  for (const each of document.querySelectorAll("[data-most-ms]")) {
    const since = each.querySelector("[data-since]");
    each.classList.toggle("over", since !== null && at - Number(since.dataset.since) > Number(each.dataset.mostMs));
  }
}

// --- the stream -----------------------------------------------------------------------------------------------------

/** Say what has to be said of what is shown, until the next sign of life: "lost" or "away", for it may be old;
    "degraded"; or "" for nothing. */
export function sayStale(kind) {
  const banner = document.getElementById("stale");
  if (!banner) return;
  banner.hidden = kind === "";
  const words = kind ? banner.dataset[kind] : "";
  if (banner.textContent !== words) banner.textContent = words;
  banner.classList.toggle("degraded", kind === "degraded");
  document.documentElement.toggleAttribute("data-stale", kind !== "" && kind !== "degraded");
}

export function listen(url, names) {
  let heard = Date.now();
  let due = heard; // when the next sign of life is overdue
  let source = null;
  let asking = false;
  const open = () => {
    source?.close();
    source = new EventSource(url);
    due = Date.now() + BEAT_MS + ON_THE_WAY_MS;
    source.addEventListener("beat", (event) => {
      const beat = JSON.parse(event.data);
      setClock(beat.at);
      heard = Date.now();
      due = heard + (beat.next ?? BEAT_MS) + ON_THE_WAY_MS;
      sayStale(beat.stale);
      if (!beat.stale) for (const part of document.querySelectorAll("[data-fetch]:has([data-again])")) load(part);
      for (const part of document.querySelectorAll("[data-failed=unanswered]")) load(part);
      answer();
    });
    source.addEventListener("reset", () => location.reload());
    source.addEventListener("end", () => {
      source.close();
      location.reload();
    });
    for (const name of names) {
      source.addEventListener(name, (event) => {
        heard = Date.now();
        patch(event.data);
      });
    }
    source.addEventListener("error", (event) => {
      sayStale("lost");
      // The browser comes back by itself, except after an answer that was no stream: then after a while, by hand.
      if (event.target.readyState === EventSource.CLOSED) setTimeout(reopen, 3000 + Math.random() * 2000);
    });
  };
  const reopen = async () => {
    const answer = await ask(location.href, { headers: { Accept: "text/html" }, redirect: "manual" });
    if (answer?.type === "opaqueredirect") location.reload();
    else if (source.readyState === EventSource.CLOSED) open();
  };
  // Each sign of life is answered, by an event and not by a timer: those of a page in the background hardly run. A
  // cable that is out closes nothing, on either side: here the stream would seem open for ever.
  const answer = async () => {
    if (asking) return;
    asking = true;
    const fields = { page: new URL(url, location.href).searchParams.get("page") };
    const answered = await post(`${url.split("?")[0]}/here`, fields, ANSWER_MS);
    asking = false;
    if (!answered) sayStale("lost");
    else if (answered.ok && answered.said && (!answered.said.open || Date.now() - heard > MISSED_MS)) {
      heard = Date.now();
      open();
    }
  };
  open();
  setInterval(() => {
    if (Date.now() - heard > MISSED_MS) sayStale("lost");
    if (Date.now() > due) answer();
  }, 1000);
  addEventListener("pagehide", () => source.close());
}

setInterval(tick, 250);
tick();

const root = document.querySelector("[data-stream]");
if (root) {
  for (const part of document.querySelectorAll("[data-fetch]")) load(part);
  document.addEventListener("patched", tick);
  listen(`${root.dataset.stream}&page=${page}`, (root.dataset.events || "").split(" ").filter(Boolean));
}
