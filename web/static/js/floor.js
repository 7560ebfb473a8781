// Filters of the agents' list. They stand in the address, so that a view can be kept and sent.

import "./push.js";
import "./by_hand.js";

const form = document.getElementById("filters");
const said = document.getElementById("filtered");

function apply() {
  const wanted = Object.fromEntries(new FormData(form));
  let [shown, all] = [0, 0];
  for (const row of document.querySelectorAll("#agents tbody tr")) {
    const fits =
      (!wanted.state || row.dataset.state === wanted.state) &&
      (!wanted.queue || row.dataset.queues.split(" ").includes(wanted.queue)) &&
      (!wanted.team || row.dataset.team === wanted.team);
    row.hidden = !fits;
    shown += fits;
    all += 1;
  }
  const words = shown === all ? "" : said.dataset.words.replace("{shown}", shown).replace("{all}", all);
  if (said.textContent !== words) said.textContent = words;
}

const asked = new URLSearchParams(location.search);
for (const select of form.querySelectorAll("select")) {
  const value = asked.get(select.name);
  if (value && [...select.options].some((option) => option.value === value)) select.value = value;
}
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("change", () => {
  const query = new URLSearchParams([...new FormData(form)].filter(([, value]) => value));
  history.replaceState(null, "", query.size ? `?${query}` : location.pathname);
  apply();
});
document.addEventListener("patched", apply);
apply();
