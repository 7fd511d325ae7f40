"use strict";
// Sorting and filtering of the table, names under the pointer, everything open on paper. A page is whole without it.
(() => {
  const byId = (id) => document.getElementById(id);
  const people = byId("people");
  if (people) table(people);
  const ranked = [...document.querySelectorAll("table[data-ranking]")];
  if (ranked.length) strips(ranked);
  onPaper();

  function table(people) {
    const body = people.tBodies[0];
    const rows = [...body.rows];
    const heads = [...people.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "sort";
      button.append(...head.childNodes);
      head.append(button);
      if (!head.hasAttribute("aria-sort")) head.setAttribute("aria-sort", "none");
      button.addEventListener("click", () => sort(head, column));
    });

    function sort(head, column) {
      const now = head.getAttribute("aria-sort");
      const text = head.dataset.sort === "text";
      const first = text ? "ascending" : "descending";
      const next = now === "none" ? first : now === "ascending" ? "descending" : "ascending";
      heads.forEach((other) => other.setAttribute("aria-sort", other === head ? next : "none"));
      const sign = next === "ascending" ? 1 : -1;
      const value = (row) => row.cells[column].dataset.value;
      const compare = text
        ? (a, b) => value(a).localeCompare(value(b), document.documentElement.lang)
        : (a, b) => Number(value(a)) - Number(value(b));
      body.append(...[...rows].sort((a, b) => sign * compare(a, b)));
    }

    const text = byId("f-text"), status = byId("f-status"), review = byId("f-review"), marks = byId("f-marks");
    const inputs = [text, status, review, marks].filter(Boolean);
    const names = new Map(rows.map((row) => [row, row.cells[0].textContent.toLowerCase()]));
    function filter() {
      const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      for (const row of rows) {
        const fits = words.every((word) => names.get(row).includes(word))
          && (!status || !status.value || row.dataset.status === status.value)
          && (!review || !review.checked || Number(row.dataset.review) > 0)
          && (!marks.checked || Number(row.dataset.marks) > 0);
        row.hidden = !fits;
        shown += fits;
      }
      const count = byId("f-count"), numbers = [shown, rows.length];
      count.textContent = count.dataset.text.replace(/\{\}/g, () => numbers.shift());
      byId("nobody").hidden = shown > 0;
    }
    inputs.forEach((input) => input.addEventListener("input", filter));
    byId("f-reset").addEventListener("click", () => {
      inputs.forEach((input) => (input.type === "checkbox" ? (input.checked = false) : (input.value = "")));
      filter();
      text.focus();
    });
    document.querySelector(".filter").hidden = false;
    filter();
  }

  function strips(tables) {
    const tip = document.createElement("div");
    tip.className = "tip";
    tip.hidden = true;
    tip.setAttribute("aria-hidden", "true");
    document.body.append(tip);
    const all = tables.flatMap((each) => {
      const people = JSON.parse(each.dataset.ranking);
      return [...each.querySelectorAll("svg[data-shares]")].map((strip) => [strip, people]);
    });
    for (const [strip, people] of all) {
      const shares = strip.dataset.shares.split(",");
      const place = (event) => {
        const box = strip.getBoundingClientRect();
        const index = Math.floor(((event.clientX - box.left) / box.width) * shares.length);
        return Math.min(Math.max(index, 0), shares.length - 1);
      };
      strip.addEventListener("pointermove", (event) => {
        const index = place(event);
        tip.textContent = `${people[index][1]}: ${shares[index] === "" ? "–" : shares[index] + " %"}`;
        tip.hidden = false;
        tip.style.left = `${Math.min(event.clientX + 12, innerWidth - tip.offsetWidth - 8)}px`;
        tip.style.top = `${event.clientY - 34}px`;
      });
      strip.addEventListener("pointerleave", () => (tip.hidden = true));
      strip.addEventListener("click", (event) => location.assign(`${encodeURIComponent(people[place(event)][0])}/index.html`));
    }
  }

  function onPaper() {
    let closed = [];
    addEventListener("beforeprint", () => {
      closed = [...document.querySelectorAll("details:not([open]):not(.keep)")];
      closed.forEach((each) => (each.open = true));
    });
    addEventListener("afterprint", () => closed.forEach((each) => (each.open = false)));
    // A link to an answer opens it.
    const open = () => {
      const target = location.hash && byId(decodeURIComponent(location.hash.slice(1)));
      if (target && target.tagName === "DETAILS") target.open = true;
    };
    addEventListener("hashchange", open);
    open();
  }
})();
