// Cost against quality, and which strategies no other beats in both.
(() => {
  "use strict";

  const bakeoff = (window.bakeoff ??= {});
  const MOST = 24;
  const ASIDE = 20;
  const TICK = 16;
  const MARGIN = { right: 24, top: 30, bottom: 44 };

  const READING = [
    "Each marker is a strategy at its mean cost (geometric, on a logarithmic scale) and its mean quality over the blocks; the bars are 95 % confidence intervals both ways.",
    "The stepped line is the front: along it no strategy is cheaper and at least as good, or better and at most as dear. Every strategy off the line is dominated by one on it.",
    "How full a marker is shows how often the strategy is on the front when the blocks are resampled: full is always, empty is never.",
    "A strategy so far off that the others would overlap is written below the chart instead, with arrows that show where it is: ◀ cheaper, ▶ dearer, ▼ lower, ▲ higher than the scale.",
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
    const cost = view.measure("cost", "Cost", (measure) => measure.cost, "cpu_s");
    const metric = view.measure("metric", "Quality", (measure) => !measure.cost);
    const [found, partial] = bakeoff.levels.comparable(points(view, cost, metric));
    if (!found.length) return { empty: `No strategy has both ${cost.title} and ${metric.title} in this selection.` };
    const front = bakeoff.levels.front(found, metric.better);
    const shown = view.show(found.map((point) => point.strategy), { limit: MOST, folded: true });
    const visible = found.filter((point) => shown.has(point.strategy));
    const off = new Set([
      ...bakeoff.axes.far(visible.map((point) => Math.log(point.cost))),
      ...bakeoff.axes.far(visible.map((point) => point.quality)),
    ]);
    const near = off.size && view.pick("scale", "Scale", [["near", "without far values"], ["all", "all values"]]) === "near";
    const inside = visible.filter((_, at) => !near || !off.has(at));
    const missing = partial.map((point) => view.label(point.strategy));
    return {
      title: `${metric.title[0].toUpperCase()}${metric.title.slice(1)} against ${cost.title}`,
      caption: caption(view, found, cost, metric),
      summary: `${metric.title} against ${cost.title} of ${found.length} strategies. On the front, from the cheapest on: ${front.map((point) => view.label(point.strategy)).join(", ")}.`,
      node: chart(view, { cost, metric, front, visible, inside }),
      notes: missing.length ? [`Left out, because not measured in all of these cells: ${missing.join(", ")}.`] : [],
      reading: READING,
      tables: [table(task, cost, metric, found, front)],
    };
  };

  /** The cheapest of the strategies whose quality is within the margin of the best one's. */
  const cheapest = (found, { better, margin }) => {
    const loss = (point) => (better === "higher" ? -point.quality : point.quality);
    const least = Math.min(...found.map(loss));
    return found.filter((point) => loss(point) <= least + margin).reduce((one, other) => (other.cost < one.cost ? other : one));
  };

  /** What is to be seen, beside the cheapest of the best: what costs more for nothing, what more cost buys, what less loses. */
  const caption = (view, found, cost, metric) => {
    const pick = cheapest(found, metric);
    const compared = bakeoff.compare(view.task, view.cells, pick.strategy);
    const others = found
      .filter((point) => point !== pick)
      .map(({ strategy }) => ({ name: view.label(strategy), cost: compared.get(cost.name).get(strategy), quality: compared.get(metric.name).get(strategy) }));
    const dearer = others.filter((own) => own.cost.verdict === "worse").sort((a, b) => b.cost.estimate - a.cost.estimate);
    const wasted = dearer.find((own) => ["tied", "worse"].includes(own.quality.verdict));
    const better = dearer.findLast((own) => own.quality.verdict === "better");
    const cheaper = others.filter((own) => own.cost.verdict === "better" && own.quality.verdict === "worse").sort((a, b) => a.cost.estimate - b.cost.estimate)[0];
    const takes = (own) => `${own.name} takes ${bakeoff.plot.effect(own.cost, cost)} the ${cost.title} of ${view.label(pick.strategy)}`;
    const differs = (own, word) => `, and its ${metric.title} is ${word}: ${bakeoff.plot.effect(own.quality, metric)}.`;
    return [
      wasted ? `${takes(wasted)}${wasted.quality.verdict === "tied" ? `, and no gain in ${metric.title} is shown.` : differs(wasted, "worse")}` : "",
      better ? `${takes(better)}${differs(better, "better")}` : "",
      cheaper ? `${takes(cheaper)}${differs(cheaper, "worse")}` : "",
    ].filter(Boolean).join(" ") || `No strategy is shown to differ from ${view.label(pick.strategy)} both in ${cost.title} and in ${metric.title}.`;
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
    const height = Math.round(Math.min(320, Math.max(280, view.width * 0.55)));
    const pick = (axis) => inside.map((point) => [point[axis].estimate, point[axis].low, point[axis].high]);
    const y = bakeoff.axes.level(pick("y"), metric, (height - MARGIN.top - MARGIN.bottom) * 1.6);
    const left = TICK + Math.max(...bakeoff.plot.written(y).map((text) => bakeoff.look.width(text)));
    const x = bakeoff.axes.level(pick("x"), cost, view.width - left - MARGIN.right);
    return { height, left, x, y };
  };

  const chart = (view, all) => {
    const { Plot } = window;
    const { cost, metric, front, visible, inside } = all;
    const { height, left, x, y } = scales(view, all);
    const data = visible.map((point) => ({
      ...point,
      away: !inside.includes(point),
      fullness: point.share ?? (front.includes(point) ? 1 : 0),
      title: title(view, point, cost, metric, front),
    }));
    const within = data.filter((point) => !point.away);
    const own = within.filter((point) => point.strategy === view.state.reference);
    const bars = { stroke: "colour", strokeOpacity: 0.7, strokeWidth: 1.25, clip: true };
    const beyond = data.filter((point) => point.away);
    const node = bakeoff.plot.draw(view, {
      height: height + ASIDE * beyond.length,
      marginLeft: left,
      marginRight: MARGIN.right,
      marginTop: MARGIN.top,
      marginBottom: MARGIN.bottom + ASIDE * beyond.length,
      x,
      y,
      marks: [
        ...bakeoff.plot.grid(x, y, bakeoff.plot.axis(cost), bakeoff.plot.axis(metric)),
        Plot.line(stepped(front, x.domain), { x: "x", y: "y", curve: "step-after", stroke: "currentColor", strokeOpacity: 0.55, strokeWidth: 1.5, clip: true }),
        Plot.ruleY(within.filter((point) => point.x.low !== null), { y: "quality", x1: (point) => point.x.low, x2: (point) => point.x.high, ...bars }),
        Plot.ruleX(within.filter((point) => point.y.low !== null), { x: "cost", y1: (point) => point.y.low, y2: (point) => point.y.high, ...bars }),
        Plot.dot(own, { x: "cost", y: "quality", r: 9, stroke: "currentColor", strokeWidth: 1.25 }),
        Plot.dot(within, { x: "cost", y: "quality", symbol: "symbol", r: 5, fill: "var(--page)" }),
        bakeoff.plot.dots(within, { x: "cost", y: "quality", r: 5, fillOpacity: "fullness" }),
        bakeoff.plot.tip(within, { x: "cost", y: "quality" }),
      ],
    });
    aside(view, node, { beyond, cost, metric, height, x, y });
    name(view, node, { within, front, height, left });
    return node;
  };

  /** Write down the points beyond the scale, below the chart. */
  const aside = (view, node, { beyond, cost, metric, height, x, y }) => {
    const { svg, path, marker, colour, clip } = bakeoff.look;
    const text = (at, own) => svg("text", { x: at, "text-anchor": "start", "dominant-baseline": "central" }, own);
    beyond.forEach((point, at) => {
      const figures = `beyond the scale at ${bakeoff.format.figure(point.cost, cost.unit)}, ${bakeoff.format.figure(point.quality, metric.unit)}`;
      const parts = [
        text(0, arrows(point, x, y)),
        svg("path", { d: path(marker(point.strategy), 60), fill: colour(point.strategy), transform: "translate(40,0)" }),
        text(52, `${clip(view.label(point.strategy), view.width - bakeoff.look.width(figures) - 80)}: ${figures}`),
        svg("title", {}, point.title),
      ];
      node.append(svg("g", { class: "labels", transform: `translate(8,${height + ASIDE * (at + 0.5)})` }, ...parts));
    });
  };

  /** Name the points: the reference first, then those on the front, then the others where there is room. */
  const name = (view, node, { within, front, height, left }) => {
    const onFront = new Set(front.map((point) => point.strategy));
    const rank = (point) => (point.strategy === view.state.reference ? 0 : onFront.has(point.strategy) ? 1 : 2);
    const [across, down] = [node.scale("x"), node.scale("y")];
    const items = [...within]
      .sort((a, b) => rank(a) - rank(b))
      .map((point) => ({
        x: across.apply(point.cost),
        y: down.apply(point.quality),
        text: view.label(point.strategy),
        title: point.title,
        bold: point.strategy === view.state.reference,
      }));
    const frame = { left, right: view.width - 2, top: MARGIN.top - 4, bottom: height - MARGIN.bottom };
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
