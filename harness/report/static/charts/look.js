// How a strategy looks: one colour, marker and dash in all charts of its task; and how wide its name is.
(() => {
  "use strict";

  const bakeoff = (window.bakeoff ??= {});
  const SVG = "http://www.w3.org/2000/svg";
  const FONT = "12px system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Liberation Sans', sans-serif";
  const COLOURS = 8;
  // Seven markers and eight colours share no divisor, so the first 56 strategies differ in their pair.
  const MARKERS = ["circle", "square", "triangle", "diamond", "star", "cross", "wye"];
  const DASHES = ["", "7 3", "2 3", "9 3 2 3"];
  const cycle = (list, at) => list[at % list.length];

  const colour = (strategy) => `var(--series-${strategy % COLOURS})`;
  const marker = (strategy) => cycle(MARKERS, strategy);
  const dash = (strategy) => cycle(DASHES, Math.floor(strategy / COLOURS));

  const shape = (name) => window.d3[`symbol${name[0].toUpperCase()}${name.slice(1)}`];

  const svg = (tag, attributes, ...children) => {
    const made = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children);
    return made;
  };

  const path = (name, size) => window.d3.symbol(shape(name), size)();

  /** A small picture of a strategy's marker, or of its line; in grey, of a marker alone. */
  const swatch = (strategy, kind) => {
    const box = (wide, ...parts) =>
      svg("svg", { width: wide, height: 14, viewBox: `${-wide / 2} -7 ${wide} 14`, "aria-hidden": "true", focusable: "false" }, ...parts);
    if (kind !== "line") return box(14, svg("path", { d: path(marker(strategy), 60), fill: colour(strategy) }));
    const line = { x1: -13, x2: 13, stroke: colour(strategy), "stroke-width": 2.5, "stroke-dasharray": dash(strategy) };
    return box(26, svg("line", line));
  };

  /** How a line looks that is of no one strategy, such as a limit. */
  const NEUTRAL = { stroke: "currentColor", strokeDasharray: "10 5", strokeWidth: 1.75, strokeOpacity: 0.85 };

  /** A small picture of such a line. */
  const neutral = () =>
    svg(
      "svg",
      { width: 30, height: 14, viewBox: "-15 -7 30 14", "aria-hidden": "true", focusable: "false" },
      svg("line", { x1: -13, x2: 13, stroke: NEUTRAL.stroke, "stroke-width": 2, "stroke-dasharray": "10 5" }),
    );

  let context = null;
  const widths = new Map();

  /** Width of a text in pixels as the charts write it. */
  const width = (text, bold = false) => {
    const key = `${bold ? "b" : "n"}${text}`;
    if (!widths.has(key)) {
      context ??= document.createElement("canvas").getContext("2d");
      context.font = bold ? `600 ${FONT}` : FONT;
      widths.set(key, context.measureText(text).width);
    }
    return widths.get(key);
  };

  /** A text cut to a width, with an ellipsis where something was cut. */
  const clip = (text, limit, bold = false) => {
    if (width(text, bold) <= limit) return text;
    const letters = [...text];
    let [low, high] = [0, letters.length];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (width(`${letters.slice(0, middle).join("")}…`, bold) <= limit) low = middle;
      else high = middle - 1;
    }
    return `${letters.slice(0, low).join("").trimEnd()}…`;
  };

  bakeoff.look = { FONT, MARKERS, NEUTRAL, neutral, colour, marker, dash, svg, path, swatch, width, clip };
})();
