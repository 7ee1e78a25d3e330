// Effects against the chosen reference, with their intervals.
(() => {
  "use strict";

  const bakeoff = (window.bakeoff ??= {});
  const MOST = 40;

  const READING = [
    "Each row is a strategy: the marker is its effect against the reference, taken inside blocks, the bar its 95 % confidence interval. Costs are ratios on a logarithmic scale (0.5x is half as much); metrics are differences in their own unit.",
    "The vertical line marks \"no difference\" (a ratio of 1, a difference of 0). Where a bar crosses it, no difference was shown. ▲ better and ▼ worse: the difference is also significant (5 %) after Holm's adjustment over all figures of the table and, for times and memory, above the noise floor. No mark: it is not.",
    "The grey band, where there is one, is the noise floor: the difference that noise alone gives to the times of two equal strategies on this machine over as many blocks; for memory it is 1 %.",
    "An arrow at the edge stands for an effect beyond the scale; its figure is written beside it.",
  ];

  const noiseOf = (view) => bakeoff.payload.machines[view.cells[0].machine]?.noise;


  const told = (found, measure) => `${bakeoff.plot.effect(found, measure)} ${bakeoff.format.MARKS[found.verdict] ?? ""}`.trim();

  const effects = (view, measure, reference) => {
    const { task, cells } = view;
    const strategies = bakeoff.levels.having(task, cells, measure.name);
    const compared = bakeoff.compare(task, cells, reference).get(measure.name);
    const none = measure.cost ? 1 : 0;
    return strategies
      .map((own) => ({ ...compared.get(own), strategy: own, own: own === reference }))
      .map((found) => (found.own ? { ...found, estimate: none } : found))
      .filter((found) => found.estimate !== null);
  };

  const arrow = (edge, side) => ({ ...edge, text: side < 0 ? "◀" : "▶", side });

  const draw = (view) => {
    const { task, state } = view;
    const measure = view.measure("measure", "Measure");
    const { reference } = state;
    const found = measure ? effects(view, measure, reference) : [];
    if (!found.some((entry) => entry.own)) {
      return { empty: `${view.label(reference)} has no ${measure?.title ?? "values"} in this selection, so nothing can be compared with it.` };
    }
    if (found.length < 2) return { empty: "No other strategy was measured in the same blocks as the reference." };
    const shown = view.show(found.map((entry) => entry.strategy), { limit: MOST, folded: true });
    const place = (value) => (measure.cost ? Math.log(value) : value);
    const visible = found.filter((entry) => shown.has(entry.strategy)).sort((a, b) => a.estimate - b.estimate);
    if (measure.better === "higher") visible.reverse();
    const none = measure.cost ? 1 : 0;
    const off = bakeoff.axes.far(visible.map((entry) => place(entry.estimate)));
    const near = off.size && view.pick("scale", "Scale", [["near", "without far values"], ["all", "all values"]]) === "near";
    const inside = visible.filter((_, at) => !near || !off.has(at));
    return {
      ...chart(view, { measure, none, visible, inside, label: view.label(reference) }),
      reading: READING,
      tables: [table(task, measure, found)],
    };
  };

  const chart = (view, { measure, none, visible, inside, label }) => {
    const { Plot } = window;
    const rows = bakeoff.rows.layout(view, visible.map((entry) => ({
      key: entry.strategy,
      label: view.label(entry.strategy),
      number: entry.own ? "reference" : told(entry, measure),
      bold: entry.own,
    })));
    const scale = bakeoff.axes.effect(inside.map((entry) => [entry.estimate, entry.low, entry.high]), measure, rows.pixels);
    const data = inside.map((entry) => ({
      ...entry,
      ...bakeoff.plot.styled(entry.strategy),
      key: entry.strategy,
      title: `${view.label(entry.strategy)}\n${entry.own ? "reference" : `${told(entry, measure)}\n${entry.blocks} blocks`}`,
    }));
    const others = data.filter((entry) => !entry.own);
    const beyond = visible
      .filter((entry) => !inside.includes(entry))
      .map((entry) => arrow({ key: entry.strategy, ...bakeoff.plot.styled(entry.strategy) }, entry.estimate - none));
    const floors = others
      .map((entry) => ({ key: entry.key, floor: bakeoff.noiseFloor(measure, entry.blocks, noiseOf(view)) }))
      .filter((entry) => entry.floor !== null && Number.isFinite(entry.floor))
      .map(({ key, floor }) => ({ key, x1: Math.exp(-floor), x2: Math.exp(floor) }));
    const at = (side) => beyond.filter((entry) => Math.sign(entry.side) === side);
    const ends = (side, anchor) => Plot.text(at(side), { y: "key", text: "text", fill: "colour", frameAnchor: anchor, textAnchor: side < 0 ? "start" : "end", fontSize: 13 });
    const better = others.filter((entry) => entry.verdict === "better").length;
    const worse = others.filter((entry) => entry.verdict === "worse").length;
    return {
      summary: `${measure.title} against ${label}: ${better} better, ${worse} worse, ${visible.length - 1 - better - worse} without a shown difference.`,
      node: bakeoff.plot.draw(view, {
        ...rows.options,
        x: scale,
        marks: [
          rows.lines,
          ...bakeoff.rows.axis(scale, bakeoff.plot.axis(measure, measure.cost ? ` as a ratio to ${bakeoff.look.clip(label, 160)}` : ` less that of ${bakeoff.look.clip(label, 160)}`)),
          Plot.ruleY(floors, { y: "key", x1: "x1", x2: "x2", stroke: "currentColor", strokeOpacity: 0.13, strokeWidth: 14, clip: true }),
          Plot.ruleX([none], { stroke: "currentColor", strokeWidth: 1.25 }),
          Plot.ruleY(others.filter((entry) => entry.low !== null), { y: "key", x1: "low", x2: "high", stroke: "colour", strokeWidth: 2, clip: true }),
          bakeoff.plot.dots(data, { x: "estimate", y: "key" }),
          ends(-1, "left"),
          ends(1, "right"),
          ...rows.marks,
          bakeoff.plot.tip(data, { x: "estimate", y: "key" }, "y"),
        ],
      }),
      notes: [
        floors.length ? `Grey band: noise floor${bakeoff.isTime(measure) ? " of the machine" : ""}.` : "",
        bakeoff.isTime(measure) && !noiseOf(view) ? "The noise floor of this machine was not measured." : "",
      ],
    };
  };

  const table = (task, measure, found) => {
    const { column } = bakeoff.plot;
    return {
      columns: [column("strategy"), ...bakeoff.plot.effects(measure), column("blocks"), column("p", (value) => (value === null ? bakeoff.format.NONE : value < 1e-4 ? "<0.0001" : value.toFixed(4))), column("verdict")],
      rows: found.map((entry) => entry.own
        ? [task.strategies[entry.strategy].label, entry.estimate, null, null, null, null, "reference"]
        : [task.strategies[entry.strategy].label, entry.estimate, entry.low, entry.high, entry.blocks, entry.p, entry.verdict]),
    };
  };

  (bakeoff.charts ??= {}).forest = {
    title: "Effects against the reference",
    has: (task) => task.cells.length > 0 && task.strategies.length > 1,
    draw,
  };
})();
