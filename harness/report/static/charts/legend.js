// The legend of a figure: one button a strategy, pressed while it is shown.
(() => {
  "use strict";

  const bakeoff = (window.bakeoff ??= {});
  const { element } = bakeoff;

  const button = (figure, entry, legend, act) => {
    const own = entry.strategy === figure.view.state.reference;
    return element(
      "button",
      {
        type: "button",
        "aria-pressed": String(legend.shown.has(entry.strategy)),
        "data-strategy": entry.strategy,
        title: entry.label,
        class: own ? "own" : null,
        click: () => act(() => bakeoff.choices.flip(figure, entry.strategy)),
      },
      bakeoff.look.swatch(entry.strategy, legend.swatch),
      element("span", {}, entry.label),
      own ? element("small", {}, "reference") : null,
      entry.note ? element("small", {}, entry.note) : null,
    );
  };

  const all = (figure, legend, act) => {
    const { entries, usual, shown } = legend;
    if (usual.size === entries.length) return null;
    const whole = shown.size === entries.length;
    return element(
      "p",
      { class: "shown" },
      `${shown.size} of ${entries.length} shown. `,
      element("button", { type: "button", "data-all": "", click: () => act(() => bakeoff.choices.showAll(figure, !whole)) }, whole ? `Show ${usual.size}` : "Show all"),
    );
  };

  const machines = (names) =>
    names.map((name, at) => {
      const { svg, path, MARKERS } = bakeoff.look;
      const mark = svg("path", { d: path(MARKERS[at % MARKERS.length], 60), fill: "currentColor" });
      const box = svg("svg", { width: 14, height: 14, viewBox: "-7 -7 14 14", "aria-hidden": "true", focusable: "false" }, mark);
      return element("li", { class: "machine" }, box, element("span", {}, name));
    });

  /** What the colours and markers of a chart mean that has no strategies to choose from. */
  const keys = (entries) => entries.map((own) => element("li", { class: "machine" }, bakeoff.look.swatch(own.strategy, "marker"), element("span", {}, own.label)));

  const neutral = (names) => names.map((name) => element("li", { class: "machine" }, bakeoff.look.neutral(), element("span", {}, name)));

  /** Where the focus is inside of a legend, as a selector. */
  const focused = (box) => {
    const own = box.contains(document.activeElement) ? document.activeElement : null;
    if (!own) return null;
    return "all" in own.dataset ? "[data-all]" : own.dataset.strategy ? `[data-strategy="${own.dataset.strategy}"]` : "summary";
  };

  /** Fill a box with the legend of a figure, and keep focus and fold as they were. `act` makes a change and redraws. */
  bakeoff.legend = (box, figure, drawing, act) => {
    const { legend } = figure.view;
    const at = focused(box);
    // The same element all along: it stays open or closed, and who opened it for print closes it.
    const fold = box.querySelector("details") ?? element("details", { class: "folded" }, element("summary"));
    box.replaceChildren();
    const named = drawing.machines?.length ? element("ul", { class: "machines", "aria-label": "Machines" }, machines(drawing.machines)) : null;
    if (legend && legend.entries.length > 1) {
      const list = element("ul", { "aria-label": "Strategies" }, legend.entries.map((entry) => element("li", {}, button(figure, entry, legend, act))));
      const parts = [all(figure, legend, act), list];
      fold.firstChild.textContent = `Strategies shown (${legend.shown.size} of ${legend.entries.length})`;
      fold.replaceChildren(...[fold.firstChild, ...parts].filter(Boolean));
      box.append(...(legend.folded ? [fold] : parts.filter(Boolean)));
    }
    if (named) box.append(named);
    if (drawing.keys?.length) box.append(element("ul", { class: "machines", "aria-label": "Colours and markers" }, keys(drawing.keys)));
    if (drawing.neutral?.length) box.append(element("ul", { class: "limits", "aria-label": "Dashed lines" }, neutral(drawing.neutral)));
    if (at) box.querySelector(at)?.focus();
  };
})();
