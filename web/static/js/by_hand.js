// What a leader does with one caller: dialogs beside the lists, which go on moving under them.

import { ask, post } from "./page.js";
import { unique } from "./push.js";

let contact = "";
let opener = "";

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-contact][data-dialog]");
  const dialog = button && document.getElementById(button.dataset.dialog);
  if (!dialog) return;
  contact = button.dataset.contact;
  opener = button.id;
  told(dialog).textContent = "";
  dialog.querySelector("[data-caller-name]").textContent = button.dataset.caller;
  for (const form of dialog.querySelectorAll("[data-by-hand]")) form.removeAttribute("data-key");
  if (dialog.id === "by-hand") offer(button);
  const plan = dialog.querySelector("[data-call-back]");
  plan?.replaceChildren();
  if (plan && button.dataset.state === "waiting") fill(plan, dialog);
  dialog.showModal();
});

const told = (dialog) => dialog.querySelector("[role=status]");

function offer(button) {
  document.getElementById("prioritise-points").value = button.dataset.points;
  const queues = document.getElementById("move-queue");
  for (const option of queues.options) option.disabled = option.value === button.dataset.queue;
  queues.value = [...queues.options].find((option) => !option.disabled)?.value ?? "";
}

// The number, whether it may be called, and the plan, as they are now.
async function fill(part, dialog) {
  const asked = contact;
  const headers = { Accept: "text/html", "X-Requested-With": "fetch" };
  const url = `${part.dataset.callBack}?contact=${encodeURIComponent(asked)}`;
  const answer = await ask(url, { headers });
  if (asked !== contact) return;
  if (answer?.ok) {
    // Parsed as a document of its own: whatever stands in it, nothing is fetched or run by it on the way.
    part.replaceChildren(...new DOMParser().parseFromString(answer.text, "text/html").body.childNodes);
    if (dialog.id === "call-back") part.querySelector("input:not([type=hidden])").focus();
  } else say(dialog, answer);
}

function say(dialog, answer) {
  const problem = answer?.said;
  told(dialog).textContent = problem ? problem.detail || problem.title : document.getElementById("stale").dataset.lost;
}

for (const dialog of document.querySelectorAll("dialog:has([role=status])")) {
  // Back to where it was opened, or to the list where that caller is gone. Whoever has gone on by then is left there.
  dialog.addEventListener("close", () => {
    const at = document.activeElement;
    if (at && at !== document.body && !dialog.contains(at)) return;
    const places = [opener, "calls", "main"].map((id) => document.getElementById(id));
    places.find(Boolean).focus();
  });
  // What was sent without an answer is sent again under the same key, and done once; what is changed is another wish.
  dialog.addEventListener("input", (event) => event.target.form?.removeAttribute("data-key"));
  dialog.addEventListener("submit", (event) => {
    if (!event.target.matches("[data-by-hand]")) return;
    event.preventDefault();
    if (!event.target.hasAttribute("data-pending")) send(event.target, dialog);
  });
}

async function send(form, dialog) {
  form.setAttribute("data-pending", "");
  told(dialog).textContent = "";
  form.dataset.key ||= unique();
  const subject = dialog.dataset.subject ?? "contact";
  const fields = { ...Object.fromEntries(new FormData(form)), [subject]: contact, key: form.dataset.key };
  const answer = await post(form.action, fields);
  form.removeAttribute("data-pending");
  if (answer) form.removeAttribute("data-key");
  if (answer?.ok) dialog.close();
  else say(dialog, answer);
}
