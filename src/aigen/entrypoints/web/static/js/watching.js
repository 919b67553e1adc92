// Whatever has `data-watch` is being made: ask there how it is, every five seconds, and when its
// `data-status` is no longer that, put in its place what is at `data-fresh` under the same id.

import { count } from "./elapsed.js";

const PAUSE = 5000;
const LONGEST_PAUSE = 60000;

const SAID = {
  completed: "It is ready.",
  failed: "It could not be made.",
  cancelled: "It was cancelled.",
  processing: "It is in the making.",
};

document.querySelectorAll("[data-watch]").forEach(watch);

export async function watch(element) {
  let pause = PAUSE;
  while (element.isConnected) {
    await sleep(pause);
    await visible();
    if (!element.isConnected) return;
    try {
      const response = await asked(element.dataset.watch);
      if (response.status === 401) return tell(element, "ended");
      if (response.status === 404) return element.remove();
      const { status } = await response.json();
      tell(element, null);
      pause = PAUSE;
      if (status !== element.dataset.status) return await replace(element, status);
    } catch {
      tell(element, "away");
      pause = Math.min(2 * pause, LONGEST_PAUSE);
    }
  }
}

async function replace(element, status) {
  const page = await (await asked(element.dataset.fresh)).text();
  const parsed = new DOMParser().parseFromString(page, "text/html");
  const fresh = parsed.getElementById(element.id);
  const hadFocus = element.contains(document.activeElement);
  element.replaceWith(fresh);
  if (hadFocus) fresh.querySelector("a, button")?.focus();
  if (document.querySelector(".film")) document.title = parsed.title;
  document.getElementById("news").textContent = SAID[status] ?? "";
  count(fresh);
  if (fresh.dataset.watch) watch(fresh);
}

// The answer, unless something is wrong with the server.
async function asked(address) {
  const response = await fetch(address, { redirect: "error" });
  if (response.ok || response.status === 401 || response.status === 404) return response;
  throw new Error(`status ${response.status}`);
}

// Say what is wrong: "away", "ended", or nothing.
function tell(element, trouble) {
  element.querySelector("[data-away]")?.toggleAttribute("hidden", trouble !== "away");
  element.querySelector("[data-ended]")?.toggleAttribute("hidden", trouble !== "ended");
}

function sleep(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

// At once if the page is seen, else when it is again.
async function visible() {
  while (document.hidden) {
    await new Promise((resolve) =>
      document.addEventListener("visibilitychange", resolve, { once: true }),
    );
  }
}

// --- links that have expired -------------------------------------------------------------------

// Links to files are good for minutes, pages stay open for hours: what cannot be loaded is asked
// for once more by an address that always knows a fresh link.
document.addEventListener("error", ({ target }) => renew(target), true);

// What has failed before this script was there.
document.querySelectorAll("[data-again]").forEach((shown) => {
  if (shown.error || (shown.complete && shown.naturalWidth === 0)) renew(shown);
});

function renew(shown) {
  const again = shown.dataset?.again;
  if (!again || shown.dataset.isFresh) return;
  shown.dataset.isFresh = "yes";
  const time = shown.currentTime;
  shown.src = again;
  if (time) shown.currentTime = time;
}
