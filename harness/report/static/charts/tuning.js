// How a strategy goes with one of its options: a small chart for a metric, and one for what it costs.
(() => {
  "use strict";

  const bakeoff = (window.bakeoff ??= {});
  const MOST = 8;
  const PLACES = 12;
  const LEAST = 2;
  // A small chart is at least this wide, and at most that; between them is a gap.
  const [NARROWEST, WIDEST, GAP] = [340, 640, 20];
  const TITLE = 20;
  const HEIGHT = 240;
  const MARGIN = { left: 48, right: 20, top: 30, bottom: 48 };
  const RING = 9;
  // From this ratio of the largest value to the smallest on, the values stand on a logarithmic axis.
  const SPAN = 20;

  const reading = (reference) => [
    `Each point is a strategy's mean over the blocks at one value of an option, all its other options at their defaults, with the 95 % confidence interval; the ring marks the default, and the dashed line with its band is ${reference} in the same cell.`,
    "The best of several values looks better than it is when it was chosen on the same blocks.",
  ];

  const levelOf = (view, cell, strategy, measure) => bakeoff.levels.mean(view.task, [cell], strategy, measure.name);

  /** Whom a line is coloured after: the strategy with its defaults, if that was run. */
  const nameOf = ({ members, default: usual }) => (members.find(([value]) => value === usual) ?? members[0])[1];

  const choose = (view) => {
    const held = view.task.tuning.filter((own) => view.cells.includes(view.task.cells[own.cell]));
    if (!held.length) return null;
    const places = [...new Set(held.map((own) => own.cell))];
    const at = Number(view.pick("cell", "Of", places.map((place) => [String(place), bakeoff.format.cell(view.task.cells[place])])));
    const sweeps = held.filter((own) => own.cell === at).map((own) => ({ ...own, own: nameOf(own), title: `${own.strategy}: ${own.option}` }));
    const measures = [view.measure("measure", "Measure", undefined, view.metric)];
    const cost = view.measure("cost", "Beside it", (measure) => measure.cost);
    if (cost && cost !== measures[0]) measures.push(cost);
    return { cell: view.task.cells[at], sweeps, measures };
  };

  /** A small chart's line and what it is compared with; null where too little was measured. */
  const panelOf = (view, cell, sweep, measure) => {
    const points = sweep.members.flatMap(([value, strategy]) => {
      const found = levelOf(view, cell, strategy, measure);
      return found ? [{ ...found, value, label: view.label(strategy), usual: value === sweep.default }] : [];
    });
    if (points.length < LEAST) return null;
    const reference = levelOf(view, cell, view.state.reference, measure);
    const place = (value) => (measure.cost ? Math.log(value) : value);
    const heights = points.flatMap((point) => [point.estimate, point.low, point.high].filter((value) => value !== null));
    const joins = reference !== null && bakeoff.axes.joins([place(reference.estimate)], heights.map(place));
    return { sweep, measure, points, reference, joins };
  };

  const draw = (view) => {
    const found = choose(view);
    if (!found) return { empty: "No option was measured at three values in this selection." };
    const { cell, sweeps, measures } = found;
    const own = [...new Set(sweeps.map((sweep) => sweep.own))];
    const labels = new Map(sweeps.map((sweep) => [sweep.own, sweep.strategy]));
    const shown = view.show(own, { limit: MOST, labels });
    const panels = sweeps.map((sweep) => measures.map((measure) => panelOf(view, cell, sweep, measure)));
    const visible = panels.filter((_, at) => shown.has(sweeps[at].own));
    const drawn = visible.flat().filter(Boolean);
    if (!panels.flat().some(Boolean)) return { empty: `No ${measures.map((measure) => measure.title).join(", no ")} at several values in this selection.` };
    const reference = view.label(view.state.reference);
    return {
      place: cell,
      summary: `${measures.map((measure) => measure.title).join(" and ")} at several values of ${sweeps.map((sweep) => sweep.title).join(", ")}.`,
      node: grid(view, visible, measures.length, reference),
      neutral: drawn.some((panel) => panel.joins) ? [reference] : [],
      notes: [...drawn.map((panel) => beyond(panel, reference)), ...new Set(visible.flat().filter(Boolean).map(unmeasured))],
      reading: reading(reference),
      tables: measures.map((measure) => table(view, measure, panels.flat().filter((panel) => panel?.measure === measure), reference)).filter((own) => own.rows.length),
    };
  };

  const beyond = ({ sweep, measure, reference, joins }, name) =>
    reference && !joins ? `${sweep.title}: ${name} is beyond the scale of ${measure.title}, at ${bakeoff.plot.level(reference, measure)}.` : "";

  const unmeasured = ({ sweep, points }) =>
    sweep.default === null || points.some((point) => point.usual) ? "" : `${sweep.title}: the default, ${bakeoff.axes.plain(sweep.default)}, was not measured.`;

  /** Lay small charts out in rows, those of one option side by side. */
  const grid = (view, panels, beside, reference) => {
    const { svg, clip } = bakeoff.look;
    const fit = Math.max(1, Math.floor((view.width + GAP) / (NARROWEST + GAP)));
    const columns = Math.min(fit >= beside ? fit - (fit % beside) : 1, panels.length * beside) || 1;
    const width = Math.min(WIDEST, Math.floor((view.width - GAP * (columns - 1)) / columns));
    const slots = columns >= beside ? panels.flat() : panels.flat().filter(Boolean);
    const height = Math.ceil(slots.length / columns) * (TITLE + HEIGHT);
    const root = svg("svg", { width: view.width, height, viewBox: `0 0 ${view.width} ${height}`, style: "font-size: 12px; max-width: 100%; overflow: visible", fill: "currentColor" });
    slots.forEach((panel, at) => {
      if (!panel) return;
      const node = chart({ ...view, width }, panel, reference);
      // Inside of another svg, an automatic height would be all of that one's.
      Object.assign(node.style, { width: `${width}px`, height: `${HEIGHT}px` });
      const [x, y] = [(at % columns) * (width + GAP), Math.floor(at / columns) * (TITLE + HEIGHT)];
      node.setAttribute("x", x);
      node.setAttribute("y", y + TITLE);
      root.append(svg("text", { x: x + 3, y: y + 14, "font-weight": 600 }, clip(panel.sweep.title, width - 6, true)), node);
    });
    return root;
  };

  const scales = (view, { measure, points, reference, joins }) => {
    const told = joins ? [...points, reference] : points;
    const y = bakeoff.axes.level(told.map((point) => [point.estimate, point.low, point.high]), measure, (HEIGHT - MARGIN.top - MARGIN.bottom) * 1.6);
    const left = Math.max(MARGIN.left, ...bakeoff.plot.written(y).map((text) => bakeoff.look.width(text) + 14));
    return { left, y, x: bakeoff.axes.swept(points.map((point) => point.value), view.width - left - MARGIN.right, SPAN) };
  };

  const chart = (view, panel, name) => {
    const { Plot } = window;
    const { sweep, measure, points, reference, joins } = panel;
    const { left, x, y } = scales(view, panel);
    const colour = bakeoff.look.colour(sweep.own);
    const told = points.map((point) => ({
      ...point,
      ...bakeoff.plot.styled(sweep.own),
      title: `${point.label}\n${sweep.option} ${bakeoff.axes.plain(point.value)}${point.usual ? ", the default" : ""}\n${measure.title} ${bakeoff.plot.level(point, measure)}\n${point.blocks} blocks`,
    }));
    const beside = joins ? [reference] : [];
    const [x1, x2] = x.domain;
    const node = bakeoff.plot.draw(view, {
      height: HEIGHT,
      marginLeft: left, marginRight: MARGIN.right, marginTop: MARGIN.top, marginBottom: MARGIN.bottom,
      x,
      y,
      marks: [
        // Inside of another svg, only what is drawn hears the pointer.
        Plot.frame({ fill: "var(--page)", fillOpacity: 0, stroke: "none" }),
        ...bakeoff.plot.grid(x, y, sweep.option, bakeoff.plot.axis(measure)),
        Plot.rect(beside.filter((own) => own.low !== null), { x1, x2, y1: "low", y2: "high", fill: "currentColor", fillOpacity: 0.1, clip: true }),
        Plot.ruleY(beside, { y: "estimate", ...bakeoff.look.NEUTRAL }),
        Plot.ruleX(told.filter((point) => point.low !== null), { x: "value", y1: "low", y2: "high", stroke: colour, strokeOpacity: 0.7, clip: true }),
        Plot.line(told, { x: "value", y: "estimate", stroke: colour, strokeWidth: 1.75 }),
        Plot.dot(told.filter((point) => point.usual), { x: "value", y: "estimate", r: RING, stroke: "currentColor", strokeWidth: 1.25 }),
        bakeoff.plot.dots(told, { x: "value", y: "estimate" }),
        bakeoff.plot.tip(told, { x: "value", y: "estimate" }),
      ],
    });
    write(view, node, left, panel, name);
    return node;
  };

  /** Name what a small chart marks, where there is room. */
  const write = (view, node, left, { points, reference, joins }, name) => {
    const [across, down] = [node.scale("x"), node.scale("y")];
    const place = (point) => [across.apply(point.value), down.apply(point.estimate)];
    const frame = { left, right: view.width - 2, top: 16, bottom: HEIGHT - MARGIN.bottom };
    const right = view.width - MARGIN.right;
    const level = joins ? down.apply(reference.estimate) : null;
    const bars = [
      ...bakeoff.labels.along(points.map(place)),
      ...points.flatMap((point) => (point.low === null ? [] : bakeoff.labels.along([point.low, point.high].map((own) => [across.apply(point.value), down.apply(own)])))),
      ...(joins ? [{ left, right, top: level - 2, bottom: level + 2 }] : []),
    ];
    const usual = points.filter((point) => point.usual).map(place);
    bars.push(...usual.map(([x, y]) => ({ left: x - RING, right: x + RING, top: y - RING, bottom: y + RING })));
    const named = bakeoff.labels.at(node, usual, { text: "default" }, frame, bars);
    if (!joins) return;
    const starts = Array.from({ length: PLACES }, (_, at) => [right - 8 - ((right - left - 16) * at) / (PLACES - 1), level]);
    bakeoff.labels.at(node, starts, { text: name }, frame, [...bars, ...named]);
  };

  const table = (view, measure, panels, reference) => {
    const { column } = bakeoff.plot;
    const number = (value) => bakeoff.axes.plain(value);
    const rows = panels.flatMap(({ sweep, points }) =>
      points.map((point) => [sweep.strategy, sweep.option, point.value, point.estimate, point.low, point.high, point.blocks, point.usual ? "yes" : "no"]),
    );
    const level = panels.find((panel) => panel.reference)?.reference;
    return {
      caption: measure.title,
      columns: [column("strategy"), column("option"), column("value", number), ...bakeoff.plot.levels(measure), column("blocks"), column("default")],
      rows: [...rows, ...(level ? [[reference, "", null, level.estimate, level.low, level.high, level.blocks, ""]] : [])],
    };
  };

  (bakeoff.charts ??= {}).tuning = { title: "Tuning", has: (task) => task.tuning.length > 0, draw };
})();
