// The desk: buttons that wait for what they asked for, keys, and a tone while the phone rings.

import { forget, settle } from "./begun.js";
import { ask, hasClock, now, token } from "./page.js";
import { load, page, sayStale, unique } from "./push.js";

const PENDING_MS = 5000; // after this without news the buttons come back; the server refuses what does not fit any more
const GOOD_MS = 10000; // for so long a press holds: nobody is to be surprised by what they wanted a minute ago
const ATTEMPT_MS = 4000; // a network that is away says nothing at all
const SETTLE_MS = 300000; // for so long it is asked whether it was done; the server remembers for longer
const toldByPage = document.getElementById("told");
const help = document.getElementById("help");
const keysOff = () => localStorage.getItem("ringledger-keys-off") === "1";

// --- buttons ----------------------------------------------------------------------------------------------------------

async function send(form, button) {
  if (form.hasAttribute("data-pending")) return;
  const body = new FormData(form, button);
  body.delete("csrf_token");
  body.set("desk", page);
  // The same key for each attempt: what reached the server though its answer was lost is done once.
  if (!body.get("key")) body.set("key", unique());
  if (hasClock()) body.set("good_until", Math.round(now() + GOOD_MS));
  // Behind an open dialog nobody would read it.
  const told = form.closest("dialog")?.querySelector("[role=status]") ?? toldByPage;
  const buttons = [...form.querySelectorAll("button")].filter((each) => !each.disabled);
  form.setAttribute("data-pending", "");
  button?.setAttribute("aria-busy", "true");
  told.textContent = "";
  const release = () => {
    form.removeAttribute("data-pending");
    button?.removeAttribute("aria-busy");
    for (const each of buttons) each.disabled = false;
    allowed();
  };
  for (const each of buttons) each.disabled = true;
  await settle(); // what was typed is there before the call goes on to somebody else
  if (form.dataset.version) body.set("version", form.dataset.version);
  const answer = await attempt(button?.getAttribute("formaction") || form.action, body, told);
  if (answer?.ok) {
    // The event may have come before the answer: then another form and another menu, held open, stand in its place.
    const menu = form.closest("details[data-hold]");
    if (menu) (document.getElementById(menu.id) ?? menu).open = false;
    form.dispatchEvent(new CustomEvent("done", { bubbles: true, detail: answer.said ?? {} }));
    setTimeout(release, PENDING_MS); // by then the event has long replaced the button
    return;
  }
  const problem = answer?.said;
  told.textContent = problem ? problem.detail || problem.title : document.getElementById("stale").dataset.lost;
  release();
  form.dispatchEvent(new CustomEvent("refused", { bubbles: true }));
}

// The server's answer. It is asked again and again, also when the press holds no longer: what reached it in time was
// done, and what did not is refused, so that its answer settles it either way.
async function attempt(url, body, told) {
  const headers = { Accept: "application/json", "X-CSRFToken": token(), "X-Requested-With": "fetch" };
  const begun = Date.now();
  for (let tries = 1; ; tries += 1) {
    const answer = await ask(url, { method: "POST", body, headers }, ATTEMPT_MS);
    if (answer && ![502, 504].includes(answer.status)) return answer; // those are a proxy's, which has no answer either
    sayStale("lost");
    if (Date.now() - begun > SETTLE_MS) return null;
    if (Date.now() - begun > GOOD_MS) told.textContent = toldByPage.dataset.unsettled;
    await new Promise((resolve) => setTimeout(resolve, Math.min(500 * tries, 3000)));
  }
}

document.addEventListener("submit", (event) => {
  if (!event.target.matches("form[data-act]")) return;
  event.preventDefault();
  send(event.target, event.submitter);
});

document.addEventListener("done", (event) => {
  // The queues are told every two seconds: until then whoever was taken must not be taken for the next in line.
  if (event.target.matches(".waiters form")) event.target.closest("li").remove();
  const dialog = event.target.closest("dialog");
  if (dialog === passOn) passOnOpener = ""; // the button goes with the caller, and would take the focus along
  dialog?.close();
  if (event.target.matches("#wrap-form")) forget(document.querySelector("[data-begun=note]"));
  if (event.target.matches("#dial")) event.target.reset();
  if (event.target.matches("#new-customer-form")) load(document.getElementById("desk-pop"));
  if (event.target.matches("[data-order-form]")) {
    forget(event.target);
    document.getElementById("desk-order").replaceChildren();
    toldByPage.textContent = event.detail.told || "";
    load(document.getElementById("desk-pop"));
  }
});

// Of several callers the file of another one is looked at, until something else comes up.
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-show-pop]");
  if (!button) return;
  const pop = document.getElementById("desk-pop");
  pop.dataset.fetch = button.dataset.showPop;
  load(pop);
});

// A work order is opened beside the call, and focus goes there because somebody asked for it.
document.addEventListener("click", async (event) => {
  const link = event.target.closest("[data-open-order]");
  if (!link) return;
  event.preventDefault();
  const part = document.getElementById("desk-order");
  part.dataset.fetch = link.dataset.openOrder;
  await load(part);
  part.querySelector("input:not([type=hidden]), select, textarea, button")?.focus();
});

// To whom the caller is passed on, as it is at this moment; the card goes on moving beneath the dialog.
const passOn = document.getElementById("pass-on");
let passOnOpener = "";

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-pass-on]");
  if (!button) return;
  passOnOpener = button.id;
  const [part, said] = [passOn.querySelector("[data-pass-on-part]"), passOn.querySelector("[role=status]")];
  passOn.querySelector("[data-caller-name]").textContent = button.dataset.caller;
  const heading = passOn.querySelector("[data-heading]");
  heading.textContent = button.dataset.heading || heading.dataset.heading;
  said.textContent = "";
  part.replaceChildren();
  passOn.showModal();
  const answer = await ask(button.dataset.passOn, { headers: { Accept: "text/html", "X-Requested-With": "fetch" } });
  if (passOnOpener !== button.id) return;
  if (!answer?.ok) {
    const problem = answer?.said;
    said.textContent = problem ? problem.detail || problem.title : document.getElementById("stale").dataset.lost;
    return;
  }
  // Parsed as a document of its own: whatever stands in it, nothing is fetched or run by it on the way.
  part.replaceChildren(...new DOMParser().parseFromString(answer.text, "text/html").body.childNodes);
  part.querySelector("[data-filter], button:not([tabindex]):not(:disabled)")?.focus();
});

passOn.addEventListener("close", () => {
  const places = [passOnOpener, "main"].map((id) => document.getElementById(id));
  passOnOpener = "";
  places.find(Boolean).focus();
});

document.addEventListener("input", (event) => {
  const list = document.getElementById(event.target.dataset.filter ?? "");
  const wanted = event.target.value.trim().toLowerCase();
  for (const each of list?.children ?? []) each.hidden = !each.textContent.toLowerCase().includes(wanted);
});

// --- keys -------------------------------------------------------------------------------------------------------------

function press(element) {
  if (!element || element.disabled) return;
  if (element.matches("textarea, input:not([type=radio])")) element.focus();
  else if (element.matches("input[type=radio]")) {
    element.checked = true;
    element.focus();
  } else element.click();
  if (element.matches("summary")) element.parentElement.querySelector("input[id], button")?.focus();
}

// Why a key does nothing now: whoever presses keys does not look for the button.
function sayOff(known, buttons) {
  const why = buttons.find((each) => each.dataset.why)?.dataset.why ?? (buttons.length ? "" : known.dataset.off);
  const state = document.querySelector("[data-state-words]").textContent.replace(/\s+/g, " ").trim();
  const pending = buttons.some((each) => each.closest("[data-pending]"));
  const words = pending ? help.dataset.pending : why ? help.dataset.waits : help.dataset.state;
  const told = document.querySelector("dialog[open] [role=status]") ?? toldByPage;
  told.textContent = ""; // so that the same words are read out again
  requestAnimationFrame(() => {
    told.textContent = words.replace("{key}", known.cells[1].textContent).replace("{why}", why || state);
  });
}

function openHelp() {
  help.querySelector("[role=status]").textContent = ""; // what was said when it was open before
  help.showModal();
}

document.addEventListener("keydown", (event) => {
  if (event.repeat || event.isComposing) return;
  const typing = event.target.closest("input:not([type=radio]):not([type=checkbox]), textarea, select");
  if (event.key === "?" && !typing && !keysOff()) {
    event.preventDefault();
    openHelp();
    return;
  }
  if (event.key === "Escape") {
    const menu = event.target.closest("details[data-hold][open]");
    if (menu) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
    return;
  }
  if (!event.altKey || !event.shiftKey || event.ctrlKey || event.metaKey || keysOff()) return;
  const key = event.code.replace(/^(Key|Digit)/, "");
  // The first that is not off: one button says Hold and Talk again in turn, another Ready in two places.
  const buttons = [...document.querySelectorAll(`[data-key="${CSS.escape(key)}"]`)];
  const found = buttons.find((each) => !each.disabled);
  const known = help.querySelector(`[data-keys~="${CSS.escape(key)}"]`);
  // Whoever types may write a sign with it, as with Option and Shift on a Mac: it is taken only for what it does.
  if (found || (known && !typing)) event.preventDefault();
  if (found) press(found);
  else if (known && !typing) sayOff(known, buttons);
});

document.getElementById("help-open").addEventListener("click", openHelp);
for (const [id, name] of [["keys-off", "ringledger-keys-off"], ["tone-on", "ringledger-tone"]]) {
  const box = document.getElementById(id);
  box.checked = localStorage.getItem(name) === "1";
  box.addEventListener("change", () => localStorage.setItem(name, box.checked ? "1" : "0"));
}

// --- the tone ---------------------------------------------------------------------------------------------------------

let tone = null;

function ring(on) {
  if (!on || localStorage.getItem("ringledger-tone") !== "1") {
    tone?.close();
    tone = null;
    return;
  }
  if (tone) return;
  tone = new AudioContext();
  const [sound, loudness] = [tone.createOscillator(), tone.createGain()];
  sound.frequency.value = 425; // the tone of China's and Europe's exchanges (ITU-T E.180)
  loudness.gain.value = 0;
  for (let second = 0; second < 60; second += 5) {
    loudness.gain.setTargetAtTime(0.08, tone.currentTime + second, 0.01);
    loudness.gain.setTargetAtTime(0, tone.currentTime + second + 1, 0.01);
  }
  sound.connect(loudness).connect(tone.destination);
  sound.start();
}

const title = document.title;

// Another page has this agent's seat: this one shows what happens, and may take over.
function elsewhere() {
  const seat = document.getElementById("desk-bar").dataset.desk;
  const away = Boolean(seat) && seat !== page;
  document.getElementById("elsewhere").hidden = !away;
  document.querySelector(".desk-layout").toggleAttribute("data-elsewhere", away);
}

// What hangs on the agent's own state, in parts that all agents of a queue are sent alike.
function allowed() {
  const may = document.getElementById("desk-bar").dataset.may.split(" ");
  for (const each of document.querySelectorAll("[data-needs]")) each.disabled = !may.includes(each.dataset.needs);
}

function ringing() {
  const rings = document.getElementById("desk-rings").hasAttribute("data-ringing");
  ring(rings);
  document.title = rings ? `☎ ${title}` : title;
}

for (const look of [ringing, elsewhere, allowed]) {
  document.addEventListener("patched", look);
  look();
}

// Keys and buttons work from here on.
document.documentElement.setAttribute("data-listening", "");
