// What all charts share: options for Plot, marks of strategies, tooltips, and the columns of their data tables.
(() => {
  "use strict";

  const bakeoff = (window.bakeoff ??= {});

  /** Draw with Plot, at the width of the figure. */
  const draw = (view, options) => {
    const node = window.Plot.plot({
      width: view.width,
      color: { type: "identity" },
      opacity: { type: "identity" },
      r: { type: "identity" },
      ...options,
      style: { fontSize: "12px", fontFamily: "inherit", background: "none", overflow: "visible", maxWidth: "100%" },
    });
    // Plot labels its groups and frames, which have no role that a label is allowed on; the chart as a whole has its own.
    for (const group of node.querySelectorAll("[aria-label]")) {
      group.dataset.mark = group.getAttribute("aria-label");
      group.removeAttribute("aria-label");
    }
    return node;
  };

  /** How a strategy looks, as a part of what is drawn. */
  const styled = (strategy) => ({ strategy, colour: bakeoff.look.colour(strategy), symbol: bakeoff.look.marker(strategy) });

  const dots = (data, options = {}) =>
    window.Plot.dot(data, { symbol: "symbol", fill: "colour", stroke: "colour", strokeWidth: 1.5, r: 4.5, ...options });

  const TIP = { className: "tip", fill: "var(--raised)", stroke: "var(--strong-line)", textPadding: 8, lineWidth: 26, lineHeight: 1.3, pathFilter: null };

  /** Show `title` of the nearest, in both directions or along one ("x", "y"). */
  const tip = (data, channels, along = "") => {
    const { Plot } = window;
    const pointer = { "": Plot.pointer, x: Plot.pointerX, y: Plot.pointerY }[along];
    const made = Plot.tip(data, pointer({ title: "title", ...TIP, ...channels }));
    // The group is made anew whenever the pointer moves; it has no role that a label is allowed on.
    made.ariaLabel = null;
    return made;
  };

  /** A column of a data table; `text` writes a value of it. */
  const column = (title, text = (value) => String(value ?? bakeoff.format.NONE)) => ({ title, text });

  /** Columns for a level of a measure with its interval. */
  const levels = (measure, title = measure.title) => {
    const text = (value) => bakeoff.format.figure(value, measure.unit);
    return [column(title, text), column("low", text), column("high", text)];
  };

  /** Columns for an effect with its interval. */
  const effects = (measure, title = measure.cost ? "ratio" : "difference") => {
    const whole = (value, row, at) => ({ estimate: row[at], low: row[at + 1], high: row[at + 2] });
    const bound = (value, found) => bakeoff.format.effect({ ...found, estimate: value }, measure.cost);
    return [
      column(title, (value, row, at) => bound(value, whole(value, row, at))),
      column("low", (value, row, at) => bound(value, whole(value, row, at - 1))),
      column("high", (value, row, at) => bound(value, whole(value, row, at - 2))),
    ];
  };

  /** A level with its interval in words: "911 ms [900 ms, 922 ms]". */
  const level = (found, measure) => {
    const text = (value) => bakeoff.format.figure(value, measure.unit);
    return found.low === null ? text(found.estimate) : `${text(found.estimate)} [${text(found.low)}, ${text(found.high)}]`;
  };

  /** An effect with its interval in words: "0.98x [0.95, 1.01]". */
  const effect = (found, measure) =>
    [bakeoff.format.effect(found, measure.cost), bakeoff.format.interval(found, measure.cost)].filter(Boolean).join(" ");

  /** Texts of ticks, given as such: Plot leaves out some of those that it formats on a logarithmic axis. */
  const written = (scale) => scale.ticks.map((tick) => scale.tickFormat(tick));

  /** The marks of two axes with their grids and labels; the vertical one's label stands above it. */
  const grid = (x, y, across, up) => {
    const { Plot } = window;
    const lines = { stroke: "var(--line)", strokeOpacity: 1 };
    return [
      Plot.gridY(y.ticks, lines),
      Plot.gridX(x.ticks, lines),
      Plot.axisX(x.ticks, { text: written(x), tickSize: 4, label: across, labelAnchor: "center", labelArrow: "none", labelOffset: 38 }),
      Plot.axisY(y.ticks, { text: written(y), tickSize: 4, label: up, labelAnchor: "top", labelArrow: "none" }),
    ];
  };

  const direction = (measure) => `${measure.better} is better`;

  /** The name of a measure on an axis: "CPU time (lower is better)". */
  const axis = (measure, against = "") => `${measure.title}${against}, ${direction(measure)}`;

  bakeoff.plot = { draw, styled, dots, tip, column, levels, effects, level, effect, axis, grid, written, direction };
})();
