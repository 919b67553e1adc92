// The gallery: several are ticked, to be downloaded or deleted at once; older ones are added below.

import { watch } from "./watching.js";

const items = document.getElementById("items");
const selection = document.getElementById("selection");

document.querySelectorAll("form[data-sends-itself] select").forEach((field) => {
  field.addEventListener("change", () => field.form.requestSubmit());
});

// --- ticking -----------------------------------------------------------------------------------

function ticks() {
  return [...items.querySelectorAll(".tick input")];
}

function showSelection() {
  const count = ticks().filter((tick) => tick.checked).length;
  selection.classList.toggle("active", count > 0);
  selection.querySelectorAll("[type=submit], [data-none]").forEach((button) => {
    button.hidden = count === 0;
  });
  selection.querySelectorAll("[data-count]").forEach((label) => {
    label.textContent = `${label.dataset.count} ${count}`;
  });
  const what = count === 1 ? "this one" : `these ${count}`;
  selection.querySelector("[data-confirm]").dataset.confirm = `Delete ${what} for good?`;
}

function tickAll(value) {
  ticks().forEach((tick) => (tick.checked = value));
  showSelection();
}

if (selection) {
  items.addEventListener("change", showSelection);
  selection.querySelector("[data-all]").addEventListener("click", () => tickAll(true));
  selection.querySelector("[data-none]").addEventListener("click", () => tickAll(false));
  showSelection();
}

// --- older ones --------------------------------------------------------------------------------

document.addEventListener("click", async (event) => {
  const link = event.target.closest("#older");
  if (!link) return;
  event.preventDefault();
  if (link.getAttribute("aria-busy") === "true") return;
  link.setAttribute("aria-busy", "true");
  try {
    const response = await fetch(link.href, { redirect: "error" });
    if (!response.ok) throw new Error(`status ${response.status}`);
    append(link, new DOMParser().parseFromString(await response.text(), "text/html"));
  } catch {
    // The page itself can say what is wrong.
    window.location.assign(link.href);
  }
});

function append(link, page) {
  const older = [...page.querySelectorAll("#items > *")];
  items.append(...older);
  older.filter((card) => card.dataset.watch).forEach(watch);
  older[0]?.querySelector("a")?.focus();
  const next = page.getElementById("older");
  if (next) link.replaceWith(next);
  else link.parentElement.remove();
}
