// Keys for what the page's own forms and links do: everything here also works with a mouse, and mostly without a script.
"use strict";

const rows = [...document.querySelectorAll("[data-row]")];
const help = document.getElementById("help");
const keysBox = document.querySelector("[data-keys]");
const KEYS = "grader-review-keys";

function stored() {
  try { return localStorage.getItem(KEYS) !== "off"; } catch { return true; }
}

function current() {
  return document.activeElement.closest("[data-row]") || rows.find((row) => row.classList.contains("current")) || null;
}

function select(row, { scroll = true } = {}) {
  rows.forEach((other) => other.classList.toggle("current", other === row));
  const number = row ? row.dataset.row : "";
  let first = null;
  document.querySelectorAll("mark").forEach((mark) => {
    const mine = mark.dataset.points.split(" ").includes(number);
    mark.classList.toggle("current", mine);
    if (mine && !first) first = mark;
  });
  const text = document.querySelector(".answer .text");
  if (first && text && text.scrollHeight > text.clientHeight) {
    text.scrollTop = first.offsetTop - text.offsetTop - text.clientHeight / 3;
  }
  if (row && scroll) row.scrollIntoView({ block: "nearest" });
}

function go(row) {
  row.focus({ preventScroll: true });
  select(row);
}

function openForm(row, points) {
  rows.forEach((other) => other.querySelector(".give")?.removeAttribute("data-open"));
  const form = row.querySelector(".give");
  if (!form) return;
  form.setAttribute("data-open", "");
  if (points !== "") form.elements.points.value = points;
  (points === "" ? form.elements.points : form.elements.reason).focus();
}

function closeForm(form) {
  form.removeAttribute("data-open");
  form.closest("[data-row]").focus();
}

function step(direction) {
  const links = [...document.querySelectorAll("[data-item]")];
  const places = rows.length ? rows : links;
  const here = rows.length ? current() : document.activeElement;
  const target = places[places.indexOf(here) + direction];
  if (target && (here || direction > 0)) return rows.length ? go(target) : target.focus();
  if (rows.length) document.querySelector(direction > 0 ? "[data-key=n]" : "[data-key=p]")?.click();
}

function press(key) {
  if (key === "j") return step(1);
  if (key === "k") return step(-1);
  if (key === "?") return help?.showModal();
  const row = current() || rows.find((other) => !other.classList.contains("decided")) || rows[0];
  const button = row?.querySelector(`[data-key="${key}"]`) || document.querySelector(`main > * [data-key="${key}"]:not(article *)`);
  button?.click();
}

document.documentElement.classList.add("js");
document.querySelectorAll("[data-help], [data-give], [data-cancel]").forEach((element) => { element.hidden = false; });

document.addEventListener("click", (event) => {
  const target = event.target.closest("[data-give], [data-cancel], [data-help]");
  if (!target) return;
  if ("help" in target.dataset) help.showModal();
  else if ("cancel" in target.dataset) closeForm(target.closest(".give"));
  else openForm(target.closest("[data-row]"), target.dataset.give);
});

document.addEventListener("focusin", (event) => {
  const row = event.target.closest("[data-row]");
  if (row) select(row, { scroll: false });
});

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || help?.open) return;
  const form = event.target.closest(".give");
  if (event.key === "Escape" && form) return closeForm(form);
  if (event.target.closest("input, select, textarea") || !keysBox || !keysBox.checked) return;
  if (!/^[aAjknpouq?012]$/.test(event.key)) return;
  event.preventDefault();
  press(event.key);
});

// A form that is on its way is not sent twice.
document.addEventListener("submit", (event) => {
  if (event.target.method !== "post") return;
  if (event.target.dataset.sent) event.preventDefault();
  event.target.dataset.sent = "yes";
});
window.addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });

if (keysBox) {
  keysBox.checked = stored();
  keysBox.addEventListener("change", () => {
    try { localStorage.setItem(KEYS, keysBox.checked ? "on" : "off"); } catch { /* a private window forgets it */ }
  });
}

const draft = document.querySelector(".give[data-open]");
const target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
if (draft) {
  select(draft.closest("[data-row]"));
  draft.elements.reason.focus();
} else if (document.getElementById("alert")) {
  document.getElementById("alert").focus();
} else if (target && target.dataset.row) {
  go(target);
} else if (rows.length) {
  select(rows.find((row) => !row.classList.contains("decided")) || rows[0], { scroll: false });
}
