// What the scenarios do to each strategy: from its clean value to the stressed one.
(() => {
  "use strict";

  const bakeoff = (window.bakeoff ??= {});
  const ROWS = 60;
  const CLEAN = "clean";
  const SAID = 3;

  const READING = [
    "Each row is a strategy under a stress: the hollow marker is its mean on clean data, the full one its mean under the scenario, the line between them the change.",
    "The bar around the full marker is the 95 % confidence interval of the change, taken block by block against the same strategy on clean data. If it reaches the hollow marker, no change was shown.",
    "The figure on the right is the change: a ratio for a cost, a difference for a metric.",
  ];

  /** Scenario to pairs of cells [clean, stressed] that are alike otherwise. */
  const pairs = (view) => {
    const cells = bakeoff.state.cells(view.index, { scenario: bakeoff.state.ALL });
    const place = (cell) => JSON.stringify([cell.machine, cell.dataset, Object.entries(cell.params).sort()]);
    const clean = new Map(cells.filter((cell) => cell.scenario === CLEAN).map((cell) => [place(cell), cell]));
    const found = new Map();
    for (const cell of cells) {
      if (cell.scenario === CLEAN || !clean.has(place(cell))) continue;
      found.set(cell.scenario, [...(found.get(cell.scenario) ?? []), [clean.get(place(cell)), cell]]);
    }
    return found;
  };

  /** The place of a stressed value when the clean one and the change are known. */
  const moved = (base, change, measure) => (change === null ? null : measure.cost ? base * change : base + change);

  const entries = (view, scenarios, measure) =>
    [...scenarios].flatMap(([scenario, cells]) =>
      view.task.strategies.flatMap((_, strategy) => {
        const change = bakeoff.levels.change(view.task, cells, strategy, measure.name);
        const base = bakeoff.levels.mean(view.task, cells.map(([clean]) => clean), strategy, measure.name);
        if (!change || !base) return [];
        const [value, low, high] = [change.estimate, change.low, change.high].map((part) => moved(base.estimate, part, measure));
        return [{ scenario, strategy, change, base: base.estimate, value, low, high }];
      }),
    );

  const placeOf = ({ dataset, params }) => [dataset, Object.keys(params).length ? `(${bakeoff.format.params(params)})` : ""].filter(Boolean).join(" ");

  /** What is to be seen: which strategy a scenario harms most, and which least. */
  const caption = (view, scenarios, measure, visible) => {
    const gain = (entry) => (measure.better === "higher" ? 1 : -1) * entry.change.estimate;
    const said = (entry) => `${view.label(entry.strategy)} (${bakeoff.plot.effect(entry.change, measure)})`;
    return scenarios
      .map((scenario) => visible.filter((entry) => entry.scenario === scenario).sort((one, other) => gain(one) - gain(other)))
      .map((own, at) => (own.length > 1 ? `Under ${scenarios[at]}, ${measure.title} suffers most for ${said(own[0])} and least for ${said(own.at(-1))}.` : ""))
      .filter(Boolean)
      .slice(0, SAID)
      .join(" ");
  };

  const draw = (view) => {
    const scenarios = pairs(view);
    if (!scenarios.size) return { empty: "No scenario beside clean data in this selection." };
    const measure = view.measure("measure", "Measure", undefined, view.metric);
    const found = entries(view, scenarios, measure);
    if (!found.length) return { empty: `No ${measure.title} on both clean and stressed data in this selection.` };
    const strategies = [...new Set(found.map((entry) => entry.strategy))].sort((a, b) => a - b);
    const shown = view.show(strategies, { limit: Math.max(4, Math.floor(ROWS / scenarios.size)), folded: true });
    const visible = found.filter((entry) => shown.has(entry.strategy));
    const several = Math.max(...[...scenarios.values()].map((own) => own.length)) > 1;
    const [[[clean]]] = scenarios.values();
    return {
      where: several ? "" : placeOf(clean),
      summary: `Change of ${measure.title} from clean data under ${[...scenarios.keys()].join(", ")}, for ${strategies.length} strategies.`,
      caption: caption(view, [...scenarios.keys()], measure, visible) || undefined,
      node: chart(view, { scenarios: [...scenarios.keys()], measure, visible }),
      notes: [several ? "Means over the selected cells." : ""],
      reading: READING,
      tables: [table(view, measure, found)],
    };
  };

  const said = ({ change }, measure) => bakeoff.plot.effect(change, measure);

  const rowsOf = (view, { scenarios, measure, visible }) =>
    scenarios.flatMap((scenario) => [
      { key: `${scenario}\n`, label: scenario, header: true, bold: true },
      ...visible
        .filter((entry) => entry.scenario === scenario)
        .map((entry) => ({
          key: `${scenario}\n${entry.strategy}`,
          label: view.label(entry.strategy),
          number: said(entry, measure),
          bold: entry.strategy === view.state.reference,
        })),
    ]);

  const chart = (view, all) => {
    const { Plot } = window;
    const { measure, visible } = all;
    const rows = bakeoff.rows.layout(view, rowsOf(view, all));
    const data = visible.map((entry) => ({
      ...entry,
      ...bakeoff.plot.styled(entry.strategy),
      key: `${entry.scenario}\n${entry.strategy}`,
      title: `${view.label(entry.strategy)}\n${entry.scenario}: ${bakeoff.format.figure(entry.value, measure.unit)}\nclean: ${bakeoff.format.figure(entry.base, measure.unit)}\nchange ${said(entry, measure)}, ${entry.change.blocks} blocks`,
    }));
    const places = [...data.map((entry) => [entry.value, entry.low, entry.high]), ...data.map((entry) => [entry.base, null, null])];
    const scale = bakeoff.axes.level(places, measure, rows.pixels);
    return bakeoff.plot.draw(view, {
      ...rows.options,
      x: scale,
      marks: [
        rows.lines,
        ...bakeoff.rows.axis(scale, bakeoff.plot.axis(measure)),
        Plot.ruleY(data, { y: "key", x1: "base", x2: "value", stroke: "colour", strokeOpacity: 0.45, strokeWidth: 2 }),
        Plot.ruleY(data.filter((entry) => entry.low !== null), { y: "key", x1: "low", x2: "high", stroke: "colour", strokeWidth: 5, strokeOpacity: 0.45, clip: true }),
        bakeoff.plot.dots(data, { x: "base", y: "key", fill: "var(--page)", r: 4 }),
        bakeoff.plot.dots(data, { x: "value", y: "key", r: 4 }),
        ...rows.marks,
        bakeoff.plot.tip(data, { x: "value", y: "key" }, "y"),
      ],
    });
  };

  const table = (view, measure, found) => {
    const { column } = bakeoff.plot;
    const text = (value) => bakeoff.format.figure(value, measure.unit);
    return {
      columns: [column("strategy"), column("scenario"), column("clean", text), column("under it", text), ...bakeoff.plot.effects(measure), column("blocks")],
      rows: found.map(({ strategy, scenario, base, value, change }) => [view.label(strategy), scenario, base, value, change.estimate, change.low, change.high, change.blocks]),
    };
  };

  (bakeoff.charts ??= {}).scenarios = {
    title: "Under stress",
    has: (task) => task.cells.some((cell) => cell.scenario === CLEAN) && task.cells.some((cell) => cell.scenario !== CLEAN),
    draw,
  };
})();
