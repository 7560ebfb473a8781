// What an agent types about a caller is kept at the server while it is typed, so that it goes with the call.
//
//   <form data-begun="order" data-contact data-version data-keep-at>   filled in by the server as far as somebody had come
//   <div data-begun="note" data-contact data-keep-at data-ask>         asks for what was begun
//   <form data-begun="order" data-early …>                             opened while the phone rings: kept from the talk on
//   <textarea data-own>                                                words of one's own, of a caller who has gone on
//
// Of one form one save is under way at a time. Where somebody else typed meanwhile nothing is overwritten: who it was is
// said, and the agent chooses.

import { ask, post } from "./page.js";
import { load, page, unique } from "./push.js";

const QUIET_MS = 600; // after the last key
const AGAIN_MS = 3000; // where the server did not answer
const ANSWER_MS = 4000;
const SETTLE_MS = 2000; // for so long a button waits for what was typed before it
const pending = new Map(); // contact and form, to what is to be kept
const own = new Map(); // contact, to one's own words
const name = (form) => `${form.dataset.contact} ${form.dataset.begun}`;

function fields(form) {
  const found = { contact: form.dataset.contact, form: form.dataset.begun, page };
  if (form.matches("form")) {
    for (const [key, value] of new FormData(form)) {
      if (key === "type" || key === "key" || key.startsWith("field-")) found[key] = value;
    }
  } else {
    found.key = form.querySelector("[name=begun]").value;
    found["field-note"] = form.querySelector("textarea").value;
  }
  return found;
}

// --- keeping ----------------------------------------------------------------------------------------------------------

function note(form) {
  const id = name(form);
  const waiting = pending.get(id) ?? { version: form.dataset.version ?? "0", under: null };
  // What is to be kept is taken now: the form may be gone with the call before it is sent.
  Object.assign(waiting, { form, fields: fields(form), url: form.dataset.keepAt, fresh: true });
  pending.set(id, waiting);
  later(id, QUIET_MS);
}

function later(id, afterMs) {
  const waiting = pending.get(id);
  clearTimeout(waiting.timer);
  waiting.timer = setTimeout(() => keep(id), afterMs);
}

function keep(id) {
  const waiting = pending.get(id);
  if (!waiting) return null;
  clearTimeout(waiting.timer);
  waiting.under ??= send(id, waiting).finally(() => {
    waiting.under = null;
  });
  return waiting.under;
}

async function send(id, waiting) {
  while (waiting.fresh && pending.get(id) === waiting) {
    waiting.fresh = false;
    const answer = await post(waiting.url, { ...waiting.fields, version: waiting.version }, ANSWER_MS);
    if (pending.get(id) !== waiting) return;
    if (!answer || answer.status >= 500) {
      waiting.fresh = true;
      say(waiting.form, "unkept");
      later(id, AGAIN_MS);
      return;
    }
    if (answer.ok && answer.said) {
      waiting.version = waiting.form.dataset.version = String(answer.said.version);
      say(waiting.form, "kept");
    } else if (answer.said?.clash) {
      clash(waiting.form, answer.said);
      pending.delete(id);
      return;
    } else {
      // It is refused, and would be again: the sentence says why.
      waiting.form.querySelector(".begun-kept").textContent = answer.said?.detail ?? "";
      pending.delete(id);
      return;
    }
  }
  if (pending.get(id) === waiting) pending.delete(id);
}

function say(form, what) {
  const told = form.querySelector(".begun-kept");
  if (told.textContent !== told.dataset[what]) told.textContent = told.dataset[what];
}

/** Returns once what was typed is kept, or the server has not answered for a while. */
export async function settle() {
  const all = [...pending.keys()].map(keep);
  if (!all.length) return;
  await Promise.race([Promise.all(all), new Promise((resolve) => setTimeout(resolve, SETTLE_MS))]);
}

/** The form was sent or thrown away: nothing of it is kept any more. */
export function forget(form) {
  if (!form) return;
  clearTimeout(pending.get(name(form))?.timer);
  pending.delete(name(form));
}

document.addEventListener("input", (event) => {
  const form = event.target.closest("[data-begun]");
  if (form?.matches("form")) form.dataset.typed = "";
  if (form && isKept(form) && form.querySelector(".begun-clash").hidden) note(form);
  if (event.target.dataset.own) own.set(event.target.dataset.own, event.target.value);
});

// What was refused may have been changed elsewhere: who was there is said where the agent can choose.
document.addEventListener("refused", (event) => {
  if (event.target.matches("form[data-begun]") && isKept(event.target)) note(event.target);
});

// A page in the background may be closed next.
document.addEventListener("visibilitychange", () => settle());

// Before it is known what was begun, nothing is kept: it is put after that.
function isKept(form) {
  return form.matches("form") ? !form.hasAttribute("data-early") : form.dataset.asked === "answered";
}

// A form that is open when the talk begins stays, unless nothing was typed into it and somebody else had begun one: then
// that comes up. Where both did, the agent is told who was there, and chooses.
document.addEventListener("replacing", (event) => {
  const form = event.target.querySelector("form[data-begun]");
  const asked = new URL(event.target.dataset.fetch, location.href).searchParams;
  if (!form || !asked.has("begun") || asked.get("contact") !== form.dataset.contact) return;
  if (!form.hasAttribute("data-typed") && event.detail.childElementCount) return;
  event.preventDefault();
  begins(form);
});

function begins(form) {
  if (!form.hasAttribute("data-early")) return;
  form.removeAttribute("data-early");
  if (form.hasAttribute("data-typed")) note(form);
}

// --- who else was there -----------------------------------------------------------------------------------------------

function clash(form, said) {
  const box = form.querySelector(".begun-clash");
  box.querySelector("p").textContent = said.clash;
  box.dataset.version = said.version;
  box.toggleAttribute("data-ended", said.ended);
  box.hidden = false;
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-begun-take]");
  if (!button) return;
  const [form, box] = [button.closest("[data-begun]"), button.closest(".begun-clash")];
  const mine = button.dataset.begunTake === "mine";
  form.dataset.version = box.dataset.version;
  box.hidden = true;
  if (mine) {
    // Of a form that was sent by somebody else another one is made; one that is open goes on.
    if (box.hasAttribute("data-ended")) form.querySelector("[name=key], [name=begun]").value = unique();
    note(form);
  } else if (form.matches("form")) {
    const part = form.parentElement;
    part.dataset.fetch = form.dataset.again;
    load(part);
  } else {
    look(form, form.querySelector("textarea").value);
  }
  form.querySelector("textarea, input:not([type=hidden]), select")?.focus();
});

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-begun-drop]");
  if (!button || event.defaultPrevented) return;
  const form = button.closest("[data-begun]");
  forget(form);
  if (isKept(form)) {
    const answer = await post(button.dataset.begunDrop, fields(form), ANSWER_MS);
    if (!answer?.ok) {
      say(form, "unkept");
      return;
    }
    document.getElementById("told").textContent = answer.said.told;
  }
  form.parentElement.replaceChildren();
  document.getElementById("main").focus();
});

// --- what was begun ---------------------------------------------------------------------------------------------------

// Fills the field in; what stands there besides `old`, what was there before, is one's own and stays below it.
async function look(form, old = "") {
  const answer = await ask(form.dataset.ask, { headers: { Accept: "application/json", "X-Requested-With": "fetch" } });
  if (!form.isConnected) return;
  if (!answer || answer.status >= 500) {
    setTimeout(() => form.isConnected && look(form, old), AGAIN_MS);
    return;
  }
  if (!answer.ok || !answer.said) return;
  const { key, version, text, by } = answer.said;
  form.dataset.version = version;
  form.querySelector("[name=begun]").value = key;
  const area = form.querySelector("textarea");
  form.dataset.asked = "answered";
  if (area.value === old) {
    area.value = text;
  } else {
    area.value = [text, area.value].filter(Boolean).join("\n");
    note(form);
  }
  const mark = form.querySelector(".begun-by");
  mark.textContent = by;
  mark.hidden = !by;
}

function lookAtNew() {
  for (const form of document.querySelectorAll("[data-begun][data-ask]:not([data-asked])")) {
    form.dataset.asked = "";
    // The caller has left before anybody else talked with them: the note is this agent's again, with what they wrote.
    form.querySelector("textarea").value = own.get(form.dataset.contact) ?? "";
    look(form);
  }
  for (const form of document.querySelectorAll("form[data-early]")) {
    const talk = document.querySelector(`[data-begun=note][data-contact="${CSS.escape(form.dataset.contact)}"]`);
    if (talk && !form.closest("[aria-busy]")) begins(form);
  }
  for (const contact of own.keys()) {
    if (!document.querySelector(`[data-own="${CSS.escape(contact)}"]`)) own.delete(contact);
  }
}

document.addEventListener("patched", lookAtNew);
lookAtNew();
