// Talking to our own server: forms sent by script, answers as JSON or as events.

// What the server refused, or that it could not be reached; `message` is a sentence.
export class Refused extends Error {
  constructor(problem) {
    super(problem.detail);
    this.problem = problem;
  }
}

// What stands beside a refusal's sentence: over a spending limit, the way to what was spent.
export function wayOut(problem) {
  if (problem?.code !== "spend_limit_reached") return "";
  const link = document.createElement("a");
  link.href = "/usage";
  link.textContent = "See your usage";
  return link;
}

// Send fields by POST; the answer. Throws Refused. A session that is over leads to the login.
export async function send(address, fields, signal) {
  let response;
  try {
    response = await fetch(address, { method: "POST", body: fields, signal });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused({ detail: "The server cannot be reached. Try again in a moment." });
  }
  if (response.status === 401) {
    window.location.assign(`/login?next=${encodeURIComponent(window.location.pathname)}`);
  }
  if (response.ok) return response;
  const isProblem = response.headers.get("Content-Type")?.includes("json");
  const unreadable = { detail: `The server answered with status ${response.status}.` };
  throw new Refused(isProblem ? await response.json() : unreadable);
}

// The server-sent events of an answer: [name, data], as they come.
export async function* events(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const blocks = (rest + value).split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) {
      const name = block.match(/^event: (.*)$/m)?.[1];
      const data = block.match(/^data: (.*)$/m)?.[1];
      if (name && data) yield [name, JSON.parse(data)];
    }
  }
}
