// The grid of skills by keyboard: arrows, Enter and Home/End move from cell to cell; typing replaces what stands there.

const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], Enter: [1, 0] };

document.addEventListener("keydown", (event) => {
  const input = event.target.closest("table[data-grid] input");
  if (!input) return;
  const cell = input.closest("td");
  const row = cell.parentElement;
  const rows = [...row.parentElement.rows];
  let [down, right] = step[event.key] ?? [0, 0];
  // Inside of a text the arrows are the text's; at its ends, and where all of it is marked, they are the grid's.
  const marked = input.selectionStart === 0 && input.selectionEnd === input.value.length;
  if (event.key === "ArrowLeft" && (marked || input.selectionEnd === 0)) right = -1;
  if (event.key === "ArrowRight" && (marked || input.selectionStart === input.value.length)) right = 1;
  if (!down && !right) return;
  const next = rows[rows.indexOf(row) + down]?.cells[cell.cellIndex + right]?.querySelector("input");
  if (down || next) event.preventDefault();
  if (next) {
    next.focus();
    next.select();
  }
});
