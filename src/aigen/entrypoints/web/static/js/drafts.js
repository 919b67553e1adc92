// Drafts: what stands in a form, kept for this tab until it is sent or the user logs out.

const PREFIX = "draft:";

export function keepDraft(form) {
  const key = PREFIX + form.dataset.draft;
  const fields = [...form.querySelectorAll("textarea, select")];
  const draft = JSON.parse(sessionStorage.getItem(key) ?? "{}");
  for (const field of fields) {
    // What the server has put there is newer.
    const isUntouched = field.tagName === "TEXTAREA" && !field.value;
    if (isUntouched && draft[field.name]) field.value = draft[field.name];
  }
  form.addEventListener("input", () => saveDraft(form));
}

export function saveDraft(form) {
  const fields = [...form.querySelectorAll("textarea")];
  const draft = Object.fromEntries(fields.map((field) => [field.name, field.value]));
  sessionStorage.setItem(PREFIX + form.dataset.draft, JSON.stringify(draft));
}

export function forgetDrafts() {
  Object.keys(sessionStorage)
    .filter((key) => key.startsWith(PREFIX))
    .forEach((key) => sessionStorage.removeItem(key));
}
