// How long something has taken so far, counted on from what the server said.

const counted = new Map();

// Let everything in this element that has `data-elapsed` tick.
export function count(element) {
  for (const field of element.querySelectorAll("[data-elapsed]")) {
    counted.set(field, performance.now() - 1000 * Number(field.dataset.elapsed));
  }
  tick();
}

function tick() {
  for (const [field, began] of counted) {
    if (field.isConnected) field.textContent = spoken((performance.now() - began) / 1000);
    else counted.delete(field);
  }
}

function spoken(seconds) {
  const [hours, minutes, rest] = [seconds / 3600, (seconds / 60) % 60, seconds % 60].map(Math.floor);
  const parts = hours ? [hours, padded(minutes), padded(rest)] : [minutes, padded(rest)];
  return parts.join(":");
}

function padded(number) {
  return String(number).padStart(2, "0");
}

count(document);
setInterval(tick, 1000);
