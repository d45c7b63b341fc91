"use strict";
// Shows the rows that fit the filter, and of each table the columns that those rows fill.
(() => {
  const form = document.getElementById("filter");
  const told = document.getElementById("told");
  const sections = [...document.querySelectorAll("section.identity")].map((section) => ({
    section,
    name: section.dataset.identity,
    columns: [...section.querySelectorAll("col.action")],
    heads: [...section.querySelectorAll("th.action")],
    files: [...section.querySelectorAll("tbody")].map((body) => ({
      body,
      file: body.querySelector("tr.file").textContent.toLowerCase(),
      rows: [...body.querySelectorAll("tr.test")].map((row) => ({ row, text: null })),
    })),
  }));

  const has = (row, name, wanted) => !wanted || (row.dataset[name] || "").split(" ").includes(wanted);

  function fits(entry, file, want) {
    const { row } = entry;
    if (want.findings && !row.dataset.f) return false;
    if (!has(row, "v", want.verdict) || !has(row, "g", want.gate) || !has(row, "p", want.proof)) return false;
    if (!want.words.length) return true;
    entry.text ??= row.textContent.toLowerCase() + " " + file;
    return want.words.every((word) => entry.text.includes(word));
  }

  function narrow(part, want, used) {
    for (const parts of [part.columns, part.heads]) {
      parts.forEach((element, at) => element.classList.toggle("off", want.any && !used.has(at)));
    }
  }

  function apply() {
    const value = (name) => form.elements[name].value;
    const want = {
      words: value("search").toLowerCase().split(/\s+/).filter(Boolean),
      identity: value("identity"), verdict: value("verdict"), gate: value("gate"), proof: value("proof"),
      findings: form.elements.findings.checked,
    };
    want.any = Boolean(want.words.length || want.verdict || want.gate || want.proof || want.findings);
    let shown = 0, total = 0;
    for (const part of sections) {
      const used = new Set();
      const chosen = !want.identity || want.identity === part.name;
      let here = 0;
      for (const { body, file, rows } of part.files) {
        let some = 0;
        for (const entry of rows) {
          const fit = chosen && fits(entry, file, want);
          entry.row.hidden = !fit;
          if (!fit) continue;
          some++;
          for (const cell of entry.row.querySelectorAll("td[data-c]")) used.add(Number(cell.dataset.c));
        }
        body.hidden = !some;
        here += some;
        total += rows.length;
      }
      part.section.hidden = !here;
      shown += here;
      if (here) narrow(part, want, used);
    }
    let at = 0;
    told.textContent = told.dataset.text.replace(/\{\}/g, () => [shown, total][at++].toLocaleString(document.documentElement.lang));
  }

  let waiting = 0;
  form.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(apply, 80); });
  form.addEventListener("reset", () => setTimeout(apply));
  form.addEventListener("submit", (event) => event.preventDefault());
  // A page opened from a file may have no clipboard interface: then the text is selected and copied as by hand.
  async function copy(button) {
    const source = document.getElementById(button.dataset.from);
    try {
      await navigator.clipboard.writeText(source.textContent);
    } catch {
      getSelection().selectAllChildren(source);
      if (!document.execCommand("copy")) return;
    }
    button.textContent = button.dataset.done;
    button.setAttribute("aria-live", "polite");
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button.copy");
    if (button) copy(button);
    const link = event.target.closest("a[href^='#f-']");
    const goal = link && document.getElementById(link.hash.slice(1));
    for (let part = goal && goal.closest("details"); part; part = part.parentElement.closest("details")) part.open = true;
  });
  // Paper has nothing to click at: the paragraphs of all findings are printed.
  const folded = () => document.querySelectorAll("#findings details:not([open])");
  let opened = [];
  window.addEventListener("beforeprint", () => { opened = [...folded()]; for (const part of opened) part.open = true; });
  window.addEventListener("afterprint", () => { for (const part of opened) part.open = false; opened = []; });
  apply();
})();
