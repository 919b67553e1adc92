// The image page: the form is sent by script, and its place is held until the pictures are there.

import { Refused, send, wayOut } from "./api.js";
import { saveDraft } from "./drafts.js";
import { count } from "./elapsed.js";

const form = document.getElementById("maker");
const results = document.getElementById("results");
const refusal = document.getElementById("refusal");
const news = document.getElementById("news");
const submit = form.querySelector("[type=submit]");

const TRIES = 20;
const PAUSE = 3000;

let isBusy = false;

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (!isBusy) draw();
});

async function draw() {
  setBusy(true);
  refusal.replaceChildren();
  document.getElementById("nothing-yet")?.remove();
  const sent = new FormData(form);
  const card = begin(sent);
  try {
    const { result, idempotency_key: key } = await made(sent);
    card.insertAdjacentHTML("afterend", result);
    form.elements.idempotency_key.value = key;
    saveDraft(form);
    news.textContent = "The picture is ready.";
  } catch (error) {
    if (error.problem?.idempotency_key) {
      form.elements.idempotency_key.value = error.problem.idempotency_key;
    }
    complain(error.message, error.problem);
  } finally {
    card.remove();
    setBusy(false);
  }
}

// The server's answer. Where the connection breaks, the same is asked again under the same key:
// it is bought once, and what was made meanwhile is the answer.
async function made(sent) {
  for (let tries = 1; ; tries += 1) {
    try {
      const response = await send(form.dataset.make, sent);
      return await response.json();
    } catch (error) {
      const isAnswer = error instanceof Refused && error.problem.code;
      if (isAnswer || tries === TRIES) throw error;
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
  }
}

function begin(sent) {
  const card = document.getElementById("being-drawn").content.cloneNode(true).firstElementChild;
  card.querySelector(".prompt").textContent = sent.get("prompt");
  const [, width, height] = /^(\d+)[:x](\d+)$/.exec(sent.get("aspect_ratio") || sent.get("size")) ?? [];
  if (width) card.querySelector(".shape").setAttribute("viewBox", `0 0 ${width} ${height}`);
  results.prepend(card);
  count(card);
  news.textContent = "The picture is being made.";
  card.scrollIntoView({ block: "nearest" });
  return card;
}

function complain(sentence, problem) {
  const trouble = document.getElementById("trouble").content.cloneNode(true);
  trouble.querySelector("p").replaceChildren(sentence, " ", wayOut(problem));
  refusal.replaceChildren(trouble);
  refusal.scrollIntoView({ block: "nearest" });
}

function setBusy(value) {
  isBusy = value;
  submit.setAttribute("aria-busy", String(value));
  submit.setAttribute("aria-disabled", String(value));
}
