// What every page can do. Markup asks for it by attributes, so that pages need no script:
//   data-once       a form that is sent once, however often its button is pressed
//   data-confirm    a form, or a button of one, that asks before it is sent
//   data-draft      a form whose fields survive leaving the page, under this name
//   data-forget     a form that forgets all drafts
//   data-copy       a button that copies the `.source` of its article
// In every form Ctrl or ⌘ + Enter sends.

import { keepDraft, forgetDrafts } from "./drafts.js";

document.documentElement.classList.add("scripted");

if (navigator.platform.startsWith("Mac")) {
  document.querySelectorAll("kbd[data-command]").forEach((key) => (key.textContent = "⌘"));
}

document.querySelectorAll("form[data-draft]").forEach(keepDraft);

document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.target.form?.requestSubmit();
  }
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  const question = event.submitter?.dataset.confirm ?? form.dataset.confirm;
  if (question && !window.confirm(question)) {
    event.preventDefault();
    return;
  }
  if ("forget" in form.dataset) forgetDrafts();
  // A script that sends the form itself prevents the default, and looks after the button, too.
  if ("once" in form.dataset && !event.defaultPrevented) {
    form.querySelector("[type=submit]").setAttribute("aria-busy", "true");
    form.addEventListener("submit", (again) => again.preventDefault());
  }
});

// Back from the next page, a form may be sent again: its key sees to it that nothing is bought
// twice.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) window.location.reload();
});

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const text = button.closest("article").querySelector(".source").textContent;
  await copy(text);
  const label = button.lastChild;
  label.textContent = "Copied";
  setTimeout(() => (label.textContent = "Copy"), 1500);
});

async function copy(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  // Browsers offer the clipboard only over https and on this machine.
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}
