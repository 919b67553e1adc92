// What a form would cost, on its button: asked for again a moment after every change.

const PAUSE = 600;

export function keepPrice(form) {
  const price = form.querySelector("[data-price]");
  let waiting = 0;
  let asking = null;

  async function show() {
    asking?.abort();
    asking = new AbortController();
    try {
      const sent = { method: "POST", body: new FormData(form), signal: asking.signal };
      const response = await fetch(form.dataset.priceAt, sent);
      const answer = response.ok ? await response.json() : { price: "" };
      price.textContent = answer.price && ` · ${answer.price}`;
    } catch (error) {
      if (error.name !== "AbortError") price.textContent = "";
    }
  }

  form.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(show, PAUSE);
  });
  show();
}
