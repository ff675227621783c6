// What pages do beyond HTML: copy a text, watch a part that is about to change, ask before what cannot be undone.
// Every page works without it. No inline handlers: the content security policy allows none.

"use strict";

const SAID_FOR_MS = 2000;

function say(button, text) {
  const before = button.dataset.label ?? button.textContent;
  button.dataset.label = before;
  button.textContent = text;
  setTimeout(() => { button.textContent = before; }, SAID_FOR_MS);
}

async function copy(button) {
  const source = document.getElementById(button.dataset.copy);
  const text = "value" in source ? source.value : source.textContent.trim();
  try {
    await navigator.clipboard.writeText(text);
    say(button, "Copied");
  } catch {
    select(source);
    say(button, "Press Ctrl-C");
  }
}

function select(source) {
  if ("select" in source) {
    source.focus();
    source.select();
  } else {
    getSelection().selectAllChildren(source);
  }
}

// <section data-watch="URL" data-every="1500">: replaced by what URL answers, until that no longer says data-watch.
async function watch(part) {
  try {
    const answer = await fetch(part.dataset.watch, { headers: { Accept: "text/html" }, redirect: "error" });
    if (answer.ok) {
      const fresh = document.createRange().createContextualFragment(await answer.text()).firstElementChild;
      part.replaceWith(fresh);
      part = fresh;
    }
  } catch {
    // the next round tries again
  }
  if (part.dataset.watch) {
    setTimeout(watch, Number(part.dataset.every), part);
  }
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  if (button) {
    copy(button);
  }
});

document.addEventListener("submit", (event) => {
  const question = event.target.dataset.confirm;
  if (question && !confirm(question)) {
    event.preventDefault();
  }
});

for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = false;
}
for (const part of document.querySelectorAll("[data-watch]")) {
  setTimeout(watch, Number(part.dataset.every), part);
}
