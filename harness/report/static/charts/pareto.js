// Cost against quality, and which strategies no other beats in both.
(() => {
  "use strict";

  const bakeoff = (window.bakeoff ??= {});
  const MOST = 24;
  const MARGIN = { left: 64, right: 24, top: 30, bottom: 44 };

  const READING = [
    "Each marker is a strategy at its mean cost (geometric, on a logarithmic scale) and its mean quality over the blocks; the bars are 95 % confidence intervals both ways.",
    "The stepped line is the front: along it no strategy is cheaper and at least as good, or better and at most as dear. Whoever is off the line is beaten by one on it.",
    "A marker is the fuller, the more often the strategy is on the front when the blocks are drawn again at random: full is always, empty is never.",
    "Off the scale: an arrow at the edge stands for a strategy so far off that the others could not be told apart.",
  ];

  const points = (view, cost, metric) =>
    view.task.strategies.flatMap((_, strategy) => {
      const [x, y] = [cost, metric].map((measure) => bakeoff.levels.mean(view.task, view.cells, strategy, measure.name));
      if (!x || !y) return [];
      const row = view.cells.length === 1 ? bakeoff.row(view.cells[0], strategy) : null;
      const share = row?.front?.[`${cost.name}|${metric.name}`] ?? null;
      return [{ strategy, x, y, cost: x.estimate, quality: y.estimate, share, cells: Math.min(x.cells, y.cells), ...bakeoff.plot.styled(strategy) }];
    });

  const percent = (share) => (share === null ? bakeoff.format.NONE : `${(100 * share).toFixed(0)} %`);

  const draw = (view) => {
    const { task } = view;
    const cost = view.measure("cost", "Cost", (measure) => measure.cost);
    const metric = view.measure("metric", "Quality", (measure) => !measure.cost);
    const [found, partial] = bakeoff.levels.comparable(points(view, cost, metric));
    if (!found.length) return { empty: `No strategy has both ${cost.title} and ${metric.title} in this selection.` };
    const front = bakeoff.levels.front(found, metric.better);
    const shown = view.show(found.map((point) => point.strategy), { limit: MOST });
    const visible = found.filter((point) => shown.has(point.strategy));
    const off = new Set([
      ...bakeoff.axes.far(visible.map((point) => Math.log(point.cost))),
      ...bakeoff.axes.far(visible.map((point) => point.quality)),
    ]);
    const near = off.size && view.pick("scale", "Scale", [["near", "without far values"], ["all", "all values"]]) === "near";
    const inside = visible.filter((_, at) => !near || !off.has(at));
    const missing = partial.map((point) => view.label(point.strategy));
    return {
      summary: `${metric.title} against ${cost.title} of ${found.length} strategies. On the front, from the cheapest on: ${front.map((point) => view.label(point.strategy)).join(", ")}.`,
      node: chart(view, { cost, metric, front, visible, inside }),
      notes: missing.length ? [`Left out, because not measured in all of these cells: ${missing.join(", ")}.`] : [],
      reading: READING,
      tables: [table(task, cost, metric, found, front)],
    };
  };

  /** The front as a line: a step at each of its points, and on to the right edge. */
  const stepped = (front, domain) => [
    ...front.map((point) => ({ x: point.cost, y: point.quality })),
    ...(front.length ? [{ x: Math.max(domain[1], front.at(-1).cost), y: front.at(-1).quality }] : []),
  ];

  const title = (view, point, cost, metric, front) =>
    [
      view.label(point.strategy),
      `${cost.title} ${bakeoff.plot.level(point.x, cost)}`,
      `${metric.title} ${bakeoff.plot.level(point.y, metric)}`,
      point.share === null ? (front.includes(point) ? "on the front" : "") : `on the front in ${percent(point.share)} of resamples`,
    ].filter(Boolean).join("\n");

  const scales = (view, { cost, metric, inside }) => {
    const height = Math.round(Math.min(440, Math.max(320, view.width * 0.55)));
    const pick = (axis) => inside.map((point) => [point[axis].estimate, point[axis].low, point[axis].high]);
    const x = bakeoff.axes.level(pick("x"), cost, view.width - MARGIN.left - MARGIN.right);
    const y = bakeoff.axes.level(pick("y"), metric, (height - MARGIN.top - MARGIN.bottom) * 1.6);
    return { height, x, y };
  };

  const chart = (view, all) => {
    const { Plot } = window;
    const { cost, metric, front, visible, inside } = all;
    const { height, x, y } = scales(view, all);
    const bounded = (value, [low, high]) => Math.min(high, Math.max(low, value));
    const data = visible.map((point) => ({
      ...point,
      away: !inside.includes(point),
      ax: bounded(point.cost, x.domain),
      ay: bounded(point.quality, y.domain),
      fullness: point.share ?? (front.includes(point) ? 1 : 0),
      title: title(view, point, cost, metric, front),
    }));
    const within = data.filter((point) => !point.away);
    const own = data.filter((point) => point.strategy === view.state.reference);
    const bars = { stroke: "colour", strokeOpacity: 0.7, strokeWidth: 1.25, clip: true };
    const node = bakeoff.plot.draw(view, {
      height,
      marginLeft: MARGIN.left,
      marginRight: MARGIN.right,
      marginTop: MARGIN.top,
      marginBottom: MARGIN.bottom,
      x,
      y,
      marks: [
        ...bakeoff.plot.grid(x, y, bakeoff.plot.axis(cost), bakeoff.plot.axis(metric)),
        Plot.line(stepped(front, x.domain), { x: "x", y: "y", curve: "step-after", stroke: "currentColor", strokeOpacity: 0.55, strokeWidth: 1.5, clip: true }),
        Plot.ruleY(within.filter((point) => point.x.low !== null), { y: "quality", x1: (point) => point.x.low, x2: (point) => point.x.high, ...bars }),
        Plot.ruleX(within.filter((point) => point.y.low !== null), { x: "cost", y1: (point) => point.y.low, y2: (point) => point.y.high, ...bars }),
        Plot.dot(own, { x: "ax", y: "ay", r: 9, stroke: "currentColor", strokeWidth: 1.25 }),
        Plot.dot(data, { x: "ax", y: "ay", symbol: "symbol", r: 5, fill: "var(--page)" }),
        bakeoff.plot.dots(data, { x: "ax", y: "ay", r: 5, fillOpacity: "fullness" }),
        bakeoff.plot.tip(data, { x: "ax", y: "ay" }),
      ],
    });
    name(view, node, { data, front, height, x, y });
    return node;
  };

  /** Name the points: those on the front first, then the reference, then the others where there is room. */
  const name = (view, node, { data, front, height, x, y }) => {
    const onFront = new Set(front.map((point) => point.strategy));
    const rank = (point) => (point.away ? 0 : onFront.has(point.strategy) ? 1 : point.strategy === view.state.reference ? 2 : 3);
    const [across, down] = [node.scale("x"), node.scale("y")];
    const items = [...data]
      .sort((a, b) => rank(a) - rank(b))
      .map((point) => ({
        x: across.apply(point.ax),
        y: down.apply(point.ay),
        text: `${point.away ? arrows(point, x, y) : ""}${view.label(point.strategy)}`,
        title: point.title,
        bold: point.strategy === view.state.reference,
      }));
    const frame = { left: MARGIN.left, right: view.width - 2, top: MARGIN.top - 4, bottom: height - MARGIN.bottom };
    bakeoff.labels.near(node, items, frame);
  };

  const arrows = (point, x, y) =>
    `${point.cost < x.domain[0] ? "◀ " : point.cost > x.domain[1] ? "▶ " : ""}${point.quality < y.domain[0] ? "▼ " : point.quality > y.domain[1] ? "▲ " : ""}`;

  const table = (task, cost, metric, found, front) => {
    const { column } = bakeoff.plot;
    const sorted = [...found].sort((a, b) => a.cost - b.cost);
    return {
      columns: [column("strategy"), ...bakeoff.plot.levels(cost), ...bakeoff.plot.levels(metric), column("blocks"), column("on the front"), column("share of resamples", percent)],
      rows: sorted.map(({ strategy, x, y, share, ...point }) => [
        task.strategies[strategy].label, x.estimate, x.low, x.high, y.estimate, y.low, y.high, Math.min(x.blocks, y.blocks),
        front.some((own) => own.cost === point.cost && own.quality === point.quality) ? "yes" : "no", share,
      ]),
    };
  };

  (bakeoff.charts ??= {}).pareto = {
    title: "Cost against quality",
    has: (task) => task.cells.length > 0 && task.measures.some((own) => own.cost) && task.measures.some((own) => !own.cost),
    draw,
  };
})();
