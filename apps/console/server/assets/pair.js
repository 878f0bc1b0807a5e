// Asks for a code when the page opens, shows what the house tells live, and asks again when the person wants to.
const base = location.pathname.replace(/\/+$/, "");
const { lang } = document.documentElement;
const section = document.querySelector(".pairing");
const live = document.getElementById("live");
const status = document.getElementById("status");
const problem = document.getElementById("problem");
const retryMs = 2000;
let shownAt = performance.now();
let events;

function show(part) {
  problem.hidden = true;
  section.dataset.shows = part.shows;
  // Written only when it changed, so that a screen reader says it once.
  if (status.textContent !== part.status) status.textContent = part.status;
  const parsed = new DOMParser().parseFromString(part.html, "text/html");
  live.replaceChildren(...parsed.body.childNodes);
  shownAt = performance.now();
  if (part.shows === "linked") events.close();
}

function say(sentence) {
  problem.textContent = sentence;
  problem.hidden = false;
}

function showGone() {
  events?.close();
  document.querySelector("main").replaceChildren(document.getElementById("gone").content);
}

/** Without `phone` what is under way goes on; `null` is a code to scan. */
async function ask(wish) {
  try {
    const answer = await fetch(base, {
      method: "POST",
      headers: { "Content-Type": "application/json", "Accept-Language": lang },
      body: JSON.stringify(wish),
    });
    if (answer.status === 404) showGone();
    else if (!answer.ok) say((await answer.json()).message);
  } catch {
    say(problem.dataset.failed);
  }
}

function watch() {
  events = new EventSource(`${base}/events?lang=${lang}`);
  events.addEventListener("pairing", ({ data }) => show(JSON.parse(data)));
  events.addEventListener("error", () => {
    // A broken wire is mended by the browser itself; a refusal is not.
    if (events.readyState === EventSource.CLOSED) void lookAgain();
  });
}

async function lookAgain() {
  const answer = await fetch(base).catch(() => null);
  if (answer?.status === 404) return showGone();
  say(problem.dataset.failed);
  setTimeout(watch, retryMs);
}

section.addEventListener("click", ({ target }) => {
  if (target.closest("[data-ask]") !== null) void ask({ phone: null });
});

document.getElementById("by-number")?.addEventListener("submit", (submitted) => {
  submitted.preventDefault();
  void ask({ phone: new FormData(submitted.target).get("phone") });
});

setInterval(() => {
  const left = live.querySelector("[data-seconds]");
  if (left === null) return;
  const passed = Math.floor((performance.now() - shownAt) / 1000);
  left.textContent = String(Math.max(0, Number(left.dataset.seconds) - passed));
}, 1000);

void ask({}).then(watch);
