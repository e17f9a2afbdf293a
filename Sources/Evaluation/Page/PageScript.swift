enum PageScript {
  static let text = #"""
    "use strict";
    const all = JSON.parse(document.getElementById("data").textContent);
    const portion = 50;
    const [search, order, wrong, found, list, more] =
      ["search", "order", "wrong", "found", "list", "more"].map(id => document.getElementById(id));
    let shown = [];

    for (const [place, entry] of all.entries()) {
      entry.place = place;
      const words = entry.steps.flatMap(step => typeof step === "string" ? [step] : step.slice(1));
      entry.text = [entry.id, entry.speaker || "", ...words].join(" ").toLowerCase();
    }

    function element(name, text, className) {
      const made = document.createElement(name);
      if (text !== undefined) made.textContent = text;
      if (className) made.className = className;
      return made;
    }

    function stepElement(step) {
      if (typeof step === "string") return document.createTextNode(step);
      const [kind, first, second] = step;
      if (kind === "d") return element("del", first);
      if (kind === "i") return element("ins", first);
      const both = element("span", undefined, "sub");
      both.append(element("del", first), " ", element("ins", second));
      return both;
    }

    function article(entry) {
      const made = element("article");
      const parts = [entry.id];
      if (entry.speaker) parts.push("speaker " + entry.speaker);
      parts.push(entry.errors + " errors in " + entry.words + " words");
      if (entry.seconds !== undefined) parts.push(entry.seconds + " s");
      if (entry.snr !== undefined) parts.push("SNR " + entry.snr + " dB");
      if (entry.missing) parts.push("missing from the hypotheses");
      made.append(element("div", parts.join(" · "), "about"));
      const line = element("p");
      for (const step of entry.steps) line.append(stepElement(step), " ");
      made.append(line);
      if (entry.audio) {
        const player = element("audio");
        player.controls = true;
        player.preload = "none";
        player.src = entry.audio;
        made.append(player);
      }
      return made;
    }

    function showMore() {
      const start = list.childElementCount;
      list.append(...shown.slice(start, start + portion).map(article));
      more.hidden = list.childElementCount >= shown.length;
    }

    const orders = {
      file: (a, b) => a.place - b.place,
      errors: (a, b) => b.errors - a.errors,
      rate: (a, b) => b.errors / Math.max(1, b.words) - a.errors / Math.max(1, a.words),
      length: (a, b) => b.words - a.words,
    };

    function update() {
      const terms = search.value.toLowerCase().split(/\s+/).filter(Boolean);
      shown = all.filter(entry => (!wrong.checked || entry.errors > 0)
        && terms.every(term => entry.text.includes(term))).sort(orders[order.value]);
      found.textContent = shown.length + " of " + all.length + " utterances";
      list.replaceChildren();
      showMore();
    }

    for (const control of [search, order, wrong]) control.addEventListener("input", update);
    more.addEventListener("click", showMore);

    for (const table of document.querySelectorAll(".sortable")) {
      for (const [column, head] of [...table.tHead.rows[0].cells].entries()) {
        let direction = 1;
        head.addEventListener("click", () => {
          const body = table.tBodies[0];
          const value = row => row.cells[column].textContent;
          const rows = [...body.rows].sort((a, b) => direction
            * value(a).localeCompare(value(b), undefined, {numeric: true}));
          direction = -direction;
          body.append(...rows);
        });
      }
    }
    update();

    """#
}
