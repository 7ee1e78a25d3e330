// A curve that holds for all strategies, such as a bound, a Bayes error or a budget: drawn once, dashed, and named.
(() => {
  "use strict";

  const bakeoff = (window.bakeoff ??= {});

  /** The limit of a curve in a cell, as it was recorded: its title and repeats; null where there is none. */
  const of = (curve, cell) => {
    const line = curve.limit?.lines.find((own) => own.cell === cell);
    return line ? { title: curve.limit.title, repeats: line.repeats } : null;
  };

  /** The lines of a limit that are drawn, none where they would hide how the strategies differ; then a note says so. */
  const fitted = (title, lines, heights, log) => {
    const place = (value) => (log ? Math.log(value) : value);
    const own = lines.flat().map(({ y }) => y);
    if (bakeoff.axes.joins(own.map(place), heights.map(place))) return { lines, note: "" };
    const [least, most] = [Math.min(...own), Math.max(...own)].map(bakeoff.axes.plain);
    return { lines: [], note: `${title}: not drawn, it goes from ${least} to ${most} and so beyond the scale.` };
  };

  const marks = (lines) => lines.map((line) => window.Plot.line(line, { x: "x", y: "y", ...bakeoff.look.NEUTRAL, clip: true }));

  /** Write the title at the first line, from its end on where it meets no other; `others` are the lines of strategies. */
  const name = (node, title, lines, others, frame) => {
    const [across, down] = [node.scale("x"), node.scale("y")];
    const placed = (line) => line.map(({ x, y }) => [across.apply(x), down.apply(y)]);
    const inside = ([x, y]) => x >= frame.left && x <= frame.right && y >= frame.top && y <= frame.bottom;
    const bars = [...lines, ...others].flatMap((line) => bakeoff.labels.along(placed(line)));
    const places = placed(lines[0]).filter(inside).reverse();
    bakeoff.labels.at(node, places, { text: title }, frame, bars);
  };

  bakeoff.limits = { of, fitted, marks, name };
})();
