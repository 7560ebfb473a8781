// What a leader does with one waiting caller: a dialog beside the list, which goes on moving under it.

import { post } from "./page.js";
import { unique } from "./push.js";

const dialog = document.getElementById("by-hand");
const told = document.getElementById("by-hand-told");
let contact = "";
let opener = "";

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-contact]");
  if (!button || !dialog) return;
  contact = button.dataset.contact;
  opener = button.id;
  told.textContent = "";
  document.getElementById("by-hand-caller").textContent = button.dataset.caller;
  document.getElementById("prioritise-points").value = button.dataset.points;
  const queues = document.getElementById("move-queue");
  for (const option of queues.options) option.disabled = option.value === button.dataset.queue;
  queues.value = [...queues.options].find((option) => !option.disabled)?.value ?? "";
  dialog.showModal();
});

// Back to where it was opened, or to the list where that caller is gone.
dialog?.addEventListener("close", () => (document.getElementById(opener) ?? document.getElementById("calls"))?.focus());

dialog?.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.matches("[data-by-hand]")) return;
  event.preventDefault();
  if (form.hasAttribute("data-pending")) return;
  form.setAttribute("data-pending", "");
  told.textContent = "";
  const fields = { ...Object.fromEntries(new FormData(form)), contact, key: unique() };
  const answer = await post(form.action, fields);
  form.removeAttribute("data-pending");
  if (answer?.ok) {
    dialog.close();
    return;
  }
  const problem = answer?.said;
  told.textContent = problem ? problem.detail || problem.title : document.getElementById("stale").dataset.lost;
});
