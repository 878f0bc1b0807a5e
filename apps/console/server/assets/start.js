// Keeps the list of connections fresh, and lets commands be copied.
const refreshMs = 3000;
const list = document.getElementById("connections");

for (const button of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) continue;
  button.hidden = false;
  const label = button.textContent;
  const showDone = () => {
    button.textContent = button.dataset.done;
    setTimeout(() => (button.textContent = label), 1500);
  };
  button.addEventListener("click", () => {
    const command = button.parentElement.querySelector("code").textContent;
    void navigator.clipboard.writeText(command).then(showDone);
  });
}

async function refresh() {
  if (document.visibilityState === "visible") {
    try {
      const answer = await fetch(list.dataset.refresh, { headers: { Accept: "text/html" } });
      const text = answer.ok ? await answer.text() : null;
      // Written anew only when it changed, so that a screen reader is not told the same again.
      if (text !== null && text !== list.dataset.shown) {
        const parsed = new DOMParser().parseFromString(text, "text/html");
        list.replaceChildren(...parsed.body.childNodes);
        list.dataset.shown = text;
      }
      list.classList.toggle("stale", !answer.ok);
    } catch {
      list.classList.add("stale");
    }
  }
  setTimeout(() => void refresh(), refreshMs);
}

if (list) setTimeout(() => void refresh(), refreshMs);
