// The cards of cases: a card's pairs are drawn when it is open and near the window, and again when its width changes.
(() => {
  "use strict";

  const bakeoff = (window.bakeoff ??= {});
  const { element } = bakeoff;
  const TOTAL = "";
  const cards = [];

  const phaseOf = (figure) => figure.name.slice(0, Math.max(0, figure.name.lastIndexOf(".")));

  /** Times that are open to question come first, so that the reader meets them. */
  const WORST = ["regressed", "inconclusive"];
  const fallback = (figures) =>
    phaseOf(WORST.map((verdict) => figures.find((own) => own.verdict === verdict)).find(Boolean) ?? figures[0]);

  const chooser = (card) => {
    const phases = [...new Set(card.model.figures.map(phaseOf))];
    if (phases.length < 2) return null;
    const change = (event) => {
      card.phase = phases[event.target.selectedIndex];
      draw(card);
    };
    const made = element("select", { change }, phases.map((phase) => element("option", {}, phase === TOTAL ? "all phases" : phase)));
    made.selectedIndex = phases.indexOf(card.phase);
    return element("div", { class: "controls" }, element("label", {}, element("span", {}, "Times of"), made));
  };

  const shown = (card) => card.model.figures.filter((figure) => phaseOf(figure) === card.phase);

  const table = (card) => {
    const { column } = bakeoff.plot;
    const { model } = card;
    const change = (value) => bakeoff.pairs.percent(value, model.part);
    const { figures } = model;
    return bakeoff.datatable.build(`pairs of ${card.name}`, {
      caption: "Median change of each pair",
      columns: [column("pair"), column("stage"), column("block"), column("first"), column("cores"), ...figures.map((figure) => column(figure.title, change)), column("predictions"), column("failed")],
      rows: model.pairs.map((pair, at) => [
        at + 1,
        bakeoff.pairs.stageOf(at, model.screened),
        pair.block,
        pair.first,
        pair.cores,
        ...figures.map((figure) => figure.medians[at]),
        pair.identical ? "identical" : "",
        pair.failed,
      ]),
    });
  };

  const build = (card) => {
    card.phase = fallback(card.model.figures);
    card.pair = element("div", { class: "pair" });
    const data = element("details", { class: "data" }, element("summary", {}, "Pairs as a table"));
    data.addEventListener("toggle", () => {
      if (data.open && data.childElementCount === 1) data.append(table(card));
    });
    const { step } = card.model;
    const note = step > 1 ? element("p", { class: "note" }, `Every ${step}th round is drawn; the medians are of all.`) : null;
    const parts = [chooser(card), card.pair, note, data].filter(Boolean);
    card.box.replaceChildren(...parts);
    card.box.classList.add("drawn");
  };

  const fill = (box, { node, beyond }) => {
    if (beyond) box.firstChild.append(element("small", {}, `; ${beyond} ${beyond === 1 ? "round lies" : "rounds lie"} beyond the scale`));
    box.append(node);
  };

  const draw = (card) => {
    if (!card.pair) build(card);
    const figures = shown(card);
    const boxes = figures.map((figure) =>
      element(
        "figure",
        {},
        element("figcaption", {}, element("b", {}, figure.title), figure.effect ? ` ${figure.effect}, ${figure.verdict}` : " not judged"),
      ),
    );
    card.pair.replaceChildren(...boxes);
    card.width = card.box.clientWidth;
    // All are measured before the first is filled, which has the page laid out anew.
    const widths = boxes.map((box) => Math.max(240, Math.floor(box.clientWidth)));
    boxes.forEach((box, at) => fill(box, bakeoff.pairs.draw(card.model, figures[at], widths[at])));
    card.stale = false;
  };

  const attempt = (card) => {
    try {
      draw(card);
    } catch (error) {
      console.error(error);
      card.stale = false;
      card.box.replaceChildren(element("p", { class: "empty" }, `The pairs could not be drawn: ${error.message}`));
    }
  };

  const resized = (card) => {
    const width = card.box.clientWidth;
    if (card.pair && width > 0 && width !== card.width) card.stale = true;
  };

  let loaded = null;

  /** Watch the pairs of a case, if it has some and they are loaded. */
  const watch = (own) => {
    const box = own.querySelector(".plots");
    if (!box || !loaded) return;
    const { cases, part, step } = loaded;
    const name = own.querySelector("summary b").textContent;
    const card = { box, name, model: { ...cases[Number(own.dataset.case)], part, step }, stale: true, near: false };
    cards.push(card);
    bakeoff.lazy([card], attempt, resized).watch();
  };

  /** Put in the place of a noscript what it holds. */
  const replace = (held) => {
    held.insertAdjacentHTML("afterend", held.textContent);
    held.remove();
  };

  /**
   * Return the card of a case with all that it holds, by its id. The content of a closed card, and the whole card of one
   * of many cases, is text until then, because thousands of them are slow to parse and to lay out.
   */
  const whole = (id) => {
    const outside = document.querySelector(`noscript[data-holds="${CSS.escape(id)}"]`);
    if (outside) replace(outside);
    const own = document.getElementById(id);
    const inside = own?.querySelector(":scope > noscript");
    if (inside) replace(inside);
    if (outside || inside) watch(own);
    return own;
  };

  /** Make the cards of all cases whole. */
  const unpack = () => {
    for (const held of document.querySelectorAll("#evidence > noscript")) whole(held.dataset.holds);
    for (const held of document.querySelectorAll(".case > noscript")) whole(held.parentElement.id);
    document.getElementById("more-evidence")?.remove();
  };

  /** Take the pairs of all cases. */
  const start = (payload) => {
    loaded = payload;
    for (const own of document.querySelectorAll(".case")) watch(own);
  };

  /** Draw what is open. */
  const drawAll = () => {
    for (const card of cards) if (card.stale && card.box.clientWidth > 0) attempt(card);
  };

  bakeoff.cards = { start, whole, unpack, drawAll };
})();
