// Pictures and films, large, one after the other: ← and → go through all that the page shows.

const box = document.getElementById("lightbox");
const stage = box.querySelector(".stage");

let links = [];
let current = 0;

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-light]");
  if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  links = [...document.querySelectorAll("[data-light]")];
  show(links.indexOf(link));
  box.showModal();
});

box.addEventListener("keydown", (event) => {
  // A film has its own use for the arrows.
  if (event.target.tagName === "VIDEO") return;
  if (event.key === "ArrowLeft") step(-1);
  if (event.key === "ArrowRight") step(1);
});

box.addEventListener("click", (event) => {
  const button = event.target.closest("[data-step], [data-close]");
  if (button?.dataset.step) step(Number(button.dataset.step));
  else if (button || event.target === box || event.target === stage) box.close();
});

box.addEventListener("close", () => {
  stage.replaceChildren();
  (links[current].checkVisibility() ? links[current] : firstBeside(links[current])).focus();
});

function step(by) {
  const next = current + by;
  if (next >= 0 && next < links.length) show(next);
}

function show(index) {
  current = index;
  const link = links[current];
  const { light, src, again, download } = link.dataset;
  const article = link.closest("article");
  const shown = document.createElement(light === "video" ? "video" : "img");
  shown.dataset.again = again;
  if (light === "video") Object.assign(shown, { controls: true, autoplay: true, playsInline: true });
  else shown.alt = link.querySelector("img").alt;
  shown.src = src;
  stage.replaceChildren(shown);
  box.querySelector(".caption p").textContent = article.querySelector(".prompt").textContent;
  box.querySelector("[data-place]").textContent = `${current + 1} of ${links.length}`;
  box.querySelector("[data-to=download]").href = download;
  box.querySelector("[data-to=page]").href = link.href;
  box.querySelector(".before").disabled = current === 0;
  box.querySelector(".after").disabled = current === links.length - 1;
}

// The link that stands for one which the card has no room for.
function firstBeside(link) {
  return link.parentElement.querySelector("[data-light]");
}
