// What a form would cost, on its button, and why it would be refused, below it.

const PAUSE = 600;
const NOTHING = { price: "", objection: "" };

/** Ask for a quote and show it; what fails shows none. */
export async function showQuote(form, ...request) {
  let quote = NOTHING;
  try {
    const response = await fetch(...request);
    if (response.ok) quote = await response.json();
  } catch (error) {
    if (error.name === "AbortError") return;
  }
  form.querySelector("[data-price]").textContent = quote.price && ` · ${quote.price}`;
  form.querySelector("[data-objection]").textContent = quote.objection;
}

/** Ask again a moment after every change. */
export function keepPrice(form) {
  let waiting = 0;
  let asking = null;

  function show() {
    asking?.abort();
    asking = new AbortController();
    const sent = { method: "POST", body: new FormData(form), signal: asking.signal };
    showQuote(form, form.dataset.priceAt, sent);
  }

  form.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(show, PAUSE);
  });
  show();
}
