// The text page: the form is sent by script, and the answer appears as it is written.

import { Refused, events, send, wayOut } from "./api.js";
import { saveDraft } from "./drafts.js";
import { keepPrice } from "./quote.js";

const form = document.getElementById("composer");
const turns = document.getElementById("turns");
const refusal = document.getElementById("refusal");
const stop = form.querySelector("[data-stop]");
const submit = form.querySelector("[type=submit]");

const CUT = "The connection broke before the text was complete. Look for it among your texts.";

let writing = null;

keepPrice(form);

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (!writing) write();
});

stop.addEventListener("click", () => writing?.abort());

async function write() {
  writing = new AbortController();
  setBusy(true);
  refusal.replaceChildren();
  const sent = new FormData(form);
  const turn = begin(sent.get("prompt"));
  form.elements.prompt.value = "";
  try {
    const response = await send(form.dataset.stream, sent, writing.signal);
    await follow(turn, events(response));
  } catch (error) {
    if (error.name === "AbortError") {
      turn.classList.remove("writing");
      form.elements.idempotency_key.value = newKey();
      complain("Stopped here. The text is finished nevertheless, and kept among your texts.");
    } else {
      // What was typed since then is dearer than what was sent.
      form.elements.prompt.value ||= sent.get("prompt");
      fail(turn, error);
    }
  } finally {
    setBusy(false);
    writing = null;
  }
}

async function follow(turn, stream) {
  const settled = turn.querySelector(".settled");
  const open = turn.querySelector(".open");
  for await (const [name, data] of stream) {
    const wasAtEnd = isAtEnd();
    if (name === "answer") {
      // HTML that the server has made from Markdown and cleaned.
      settled.insertAdjacentHTML("beforeend", data.settled);
      open.innerHTML = data.open;
    } else if (name === "done") {
      finish(turn, data);
      return;
    } else if (name === "error") {
      throw new Refused(data);
    }
    if (wasAtEnd) window.scrollTo({ top: document.body.scrollHeight });
  }
  throw new Refused({ detail: CUT });
}

function begin(prompt) {
  const turn = document.getElementById("live-turn").content.cloneNode(true).firstElementChild;
  turn.querySelector(".prompt").textContent = prompt;
  turns.append(turn);
  turn.scrollIntoView({ block: "start" });
  return turn;
}

function finish(turn, { id, turn: html, entry, idempotency_key: key }) {
  turn.insertAdjacentHTML("afterend", html);
  turn.remove();
  document.querySelector(".history").insertAdjacentHTML("afterbegin", entry);
  document.getElementById("anew").hidden = false;
  const field = Object.assign(document.createElement("input"), {
    type: "hidden",
    name: "turn",
    value: id,
  });
  form.append(field);
  form.elements.idempotency_key.value = key;
  form.elements.prompt.focus({ preventScroll: true });
  saveDraft(form);
  const query = new URLSearchParams(new FormData(form).getAll("turn").map((id) => ["turn", id]));
  window.history.replaceState(null, "", `?${query}`);
}

function fail(turn, error) {
  const hasText = turn.querySelector(".prose").textContent.trim() !== "";
  turn.classList.remove("writing");
  if (!hasText) turn.remove();
  if (error.problem?.idempotency_key) {
    form.elements.idempotency_key.value = error.problem.idempotency_key;
  }
  complain(error.message, error.problem);
}

function complain(sentence, problem) {
  const trouble = document.getElementById("trouble").content.cloneNode(true);
  trouble.querySelector("p").replaceChildren(sentence, " ", wayOut(problem));
  refusal.replaceChildren(trouble);
}

function setBusy(isBusy) {
  submit.setAttribute("aria-busy", String(isBusy));
  submit.setAttribute("aria-disabled", String(isBusy));
  stop.hidden = !isBusy;
}

function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function isAtEnd() {
  return window.innerHeight + window.scrollY > document.body.scrollHeight - 160;
}
