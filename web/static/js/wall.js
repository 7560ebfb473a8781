// The address of a screen on a wall ends in #token. It is handed over as a form, and taken out of the address first. A
// screen that has handed one over before goes on to the board.

const form = document.getElementById("wall");
const token = location.hash.slice(1);
if (token) {
  history.replaceState(null, "", location.pathname);
  form.elements.token.value = token;
  form.submit();
} else if (form.dataset.board) {
  location.replace(form.dataset.board);
}
