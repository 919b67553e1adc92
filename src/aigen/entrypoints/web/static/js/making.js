// The forms for images and videos: they show what the chosen model offers, and what it will cost.

import { showQuote } from "./quote.js";

const form = document.getElementById("maker");
const offer = JSON.parse(form.dataset.offer);
const options = [...form.querySelectorAll("[data-option]")].map((field) => ({
  field,
  all: [...field.options],
}));
const reset = form.querySelector("[data-reset]");

// --- options ---------------------------------------------------------------------------------

function showWhatIsOffered() {
  const offered = offer[form.elements.model.value] ?? {};
  const lost = [];
  for (const { field, all } of options) {
    const values = offered[field.name] ?? [];
    const { value: chosen, text } = field.selectedOptions[0];
    const isLost = chosen !== "" && !values.includes(chosen);
    field.replaceChildren(...all.filter(({ value }) => !value || values.includes(value)));
    field.value = isLost ? "" : chosen;
    if (isLost) lost.push(`${field.dataset.option.toLowerCase()} ${text}`);
    field.closest(".field").hidden = values.length === 0;
  }
  reset.textContent = lost.length ? `Reset, as this model has no ${lost.join(", no ")}.` : "";
  allowPicture(offered.image ?? true);
}

function allowPicture(isAllowed) {
  const part = form.querySelector("[data-picture]");
  if (!part) return;
  part.querySelector("fieldset").disabled = !isAllowed;
  part.querySelector("[data-no-picture]").hidden = isAllowed;
}

// --- the price -------------------------------------------------------------------------------

let asking = null;

function showPrice() {
  asking?.abort();
  asking = new AbortController();
  const names = ["model", "n", ...options.map(({ field }) => field.name)];
  const fields = names.map((name) => [name, form.elements[name]?.value ?? ""]);
  const query = new URLSearchParams(fields);
  showQuote(form, `${form.dataset.priceAt}?${query}`, { signal: asking.signal });
}

form.elements.model.addEventListener("change", showWhatIsOffered);
form.addEventListener("change", showPrice);
form.elements.n?.addEventListener("input", showPrice);

// --- pictures --------------------------------------------------------------------------------

form.querySelectorAll("[data-preview]").forEach((field) => {
  const preview = Object.assign(document.createElement("img"), { className: "preview", alt: "" });
  preview.hidden = true;
  field.after(preview);
  field.addEventListener("change", () => {
    const [file] = field.files;
    const largest = Number(field.dataset.largest);
    const isTooLarge = file && largest && file.size > largest;
    const limit = Math.floor(largest / 2 ** 20);
    field.setCustomValidity(isTooLarge ? `This picture is larger than ${limit} MB.` : "");
    field.reportValidity();
    preview.hidden = !file || isTooLarge;
    if (!preview.hidden) show(file, preview);
  });
});

function show(file, preview) {
  const reader = new FileReader();
  reader.addEventListener("load", () => (preview.src = reader.result));
  reader.addEventListener("error", () => (preview.hidden = true));
  reader.readAsDataURL(file);
}

// --- the end of a film -------------------------------------------------------------------------

const after = form.querySelector("[data-after]");

// Put the last picture of a film into the form. It comes from our own server, as a page may not
// look into what another has sent.
async function takeLastPicture(address, field) {
  after.textContent = "Looking for the end of the video …";
  const film = Object.assign(document.createElement("video"), { muted: true, preload: "auto" });
  film.src = address;
  await happened(film, "loadeddata");
  film.currentTime = Math.max(0, film.duration - 0.05);
  await happened(film, "seeked");
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [film.videoWidth, film.videoHeight];
  canvas.getContext("2d").drawImage(film, 0, 0);
  const content = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  const files = new DataTransfer();
  files.items.add(new File([content], "the-end.png", { type: "image/png" }));
  field.files = files.files;
  field.dispatchEvent(new Event("change", { bubbles: true }));
  after.textContent = "Begins where your video ends.";
}

function happened(target, name) {
  return new Promise((resolve, reject) => {
    target.addEventListener(name, resolve, { once: true });
    target.addEventListener("error", reject, { once: true });
  });
}

if (after) {
  takeLastPicture(after.dataset.after, form.elements.image_file).catch(() => {
    after.textContent = "The end of the video cannot be read here: choose a picture yourself.";
  });
}

showWhatIsOffered();
showPrice();
