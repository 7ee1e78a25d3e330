// Every block on its own: each strategy against the reference of the same block.
(() => {
  "use strict";

  const bakeoff = (window.bakeoff ??= {});
  const MOST = 24;
  const LINES = 60;

  const READING = [
    "Each thin line is a block: one data set, seed and pair of cores on which every strategy ran once. It shows each strategy's value there against the reference of the same block. A line has a gap where the strategy has no value in that block, and a value between two gaps is a dot.",
    "The markers are medians over all blocks. Lines that run side by side mean that a difference holds in every block; lines that cross between two strategies mean that their order depends on the block.",
  ];

  /** One entry a block: the values against the reference's, by strategy. */
  const blocks = (view, measure, reference) =>
    view.cells.flatMap((cell) => {
      const base = bakeoff.row(cell, reference)?.values[measure.name] ?? [];
      const rows = cell.rows.filter((row) => bakeoff.measurable([cell], [row.strategy, reference], measure));
      return cell.units.map((unit, at) => ({
        cell,
        unit,
        values: new Map(rows.map((row) => [row.strategy, against(row.values[measure.name]?.[at] ?? null, base[at] ?? null, measure)])),
      }));
    });

  const against = (value, base, measure) => {
    if (value === null || base === null) return null;
    if (!measure.cost) return value - base;
    return value > 0 && base > 0 ? value / base : null;
  };

  /** What is to be seen: which strategies are better or worse than the reference in each block, and which change sides. */
  const caption = (view, measure, strategies, found) => {
    const { reference } = view.state;
    const none = measure.cost ? 1 : 0;
    const sign = measure.better === "higher" ? 1 : -1;
    const groups = { better: [], worse: [], mixed: [] };
    for (const own of strategies.filter((strategy) => strategy !== reference)) {
      const sides = found.map((block) => block.values.get(own) ?? null).filter((value) => value !== null).map((value) => sign * (value - none));
      const [up, down] = [sides.some((side) => side > 0), sides.some((side) => side < 0)];
      // What is equal in some block is in no group but the mixed one.
      if (up && down) groups.mixed.push(view.label(own));
      else if (sides.every((side) => side !== 0)) groups[up ? "better" : "worse"].push(view.label(own));
    }
    const said = [
      ["Better in each block", groups.better],
      ["Worse in each block", groups.worse],
      ["Better in some blocks and worse in others", groups.mixed],
    ].filter(([, labels]) => labels.length);
    const than = (at) => (at ? "" : ` than ${view.label(reference)} on ${measure.title}`);
    return said.map(([words, labels], at) => `${words}${than(at)}: ${bakeoff.format.names(labels)}.`).join(" ");
  };

  const draw = (view) => {
    const measure = view.measure("measure", "Measure");
    const { reference } = view.state;
    const found = measure ? blocks(view, measure, reference).filter((block) => [...block.values.values()].some((value) => value !== null)) : [];
    const median = new Map(
      view.task.strategies.map((_, own) => [own, bakeoff.rank.median(found.map((block) => block.values.get(own) ?? null).filter((value) => value !== null))]),
    );
    const strategies = [...median.keys()].filter((own) => median.get(own) !== null);
    if (!strategies.includes(reference)) {
      return { empty: `${view.label(reference)} has no ${measure?.title ?? "values"} in this selection, so its blocks cannot be compared.` };
    }
    const shown = view.show(strategies, { limit: MOST, folded: true });
    const place = (value) => (measure.cost ? Math.log(value) : value);
    const sign = measure.better === "higher" ? -1 : 1;
    const visible = strategies.filter((own) => shown.has(own)).sort((a, b) => sign * (median.get(a) - median.get(b)));
    const off = bakeoff.axes.far(visible.map((own) => place(median.get(own))));
    const near = off.size && view.pick("scale", "Scale", [["near", "without far values"], ["all", "all values"]]) === "near";
    const inside = visible.filter((_, at) => !near || !off.has(at));
    const drawn = found.slice(0, LINES);
    return {
      summary: `${measure.title} of ${visible.length} strategies in ${found.length} blocks against ${view.label(reference)}.`,
      caption: caption(view, measure, visible, found) || undefined,
      node: chart(view, { measure, reference, visible, inside, median, drawn }),
      notes: [
        found.length > LINES ? `Lines of the first ${LINES} of ${found.length} blocks; the medians are of all.` : "",
        inside.length < visible.length ? "An arrow stands for a median beyond the scale." : "",
      ],
      reading: READING,
      tables: [table(view, measure, strategies, found)],
    };
  };

  const chart = (view, { measure, reference, visible, inside, median, drawn }) => {
    const { Plot } = window;
    const none = measure.cost ? 1 : 0;
    const said = (value) => bakeoff.format.effect({ estimate: value, low: null, high: null }, measure.cost);
    const rows = bakeoff.rows.layout(view, visible.map((own) => ({
      key: own,
      label: view.label(own),
      number: own === reference ? "reference" : said(median.get(own)),
      bold: own === reference,
    })));
    const values = drawn.flatMap((block) => inside.map((own) => block.values.get(own) ?? null)).filter((value) => value !== null);
    const scale = bakeoff.axes.effect(values.map((value) => [value]), measure, rows.pixels);
    const lines = drawn.flatMap((block, at) => inside.map((own) => ({ block: at, key: own, value: block.values.get(own) ?? NaN })));
    const isLone = (point, at) => !Number.isNaN(point.value) && [lines[at - 1], lines[at + 1]].every((other) => other?.block !== point.block || Number.isNaN(other.value));
    const data = inside.map((own) => ({
      ...bakeoff.plot.styled(own),
      key: own,
      value: median.get(own),
      title: `${view.label(own)}\nmedian ${own === reference ? "reference" : said(median.get(own))}`,
    }));
    const beyond = visible.filter((own) => !inside.includes(own)).map((own) => ({ ...bakeoff.plot.styled(own), key: own, low: median.get(own) < none }));
    const arrows = (some, text, side) => Plot.text(some, { y: "key", text: () => text, fill: "colour", frameAnchor: side, textAnchor: side === "left" ? "start" : "end", fontSize: 13 });
    const name = bakeoff.look.clip(view.label(reference), 160);
    return bakeoff.plot.draw(view, {
      ...rows.options,
      x: scale,
      marks: [
        rows.lines,
        ...bakeoff.rows.axis(scale, bakeoff.plot.axis(measure, measure.cost ? ` as a ratio to ${name}` : ` less that of ${name}`)),
        Plot.ruleX([none], { stroke: "currentColor" }),
        Plot.line(lines, {
          x: "value", y: "key", z: "block", stroke: "currentColor", clip: true,
          strokeOpacity: drawn.length > 20 ? 0.22 : 0.4, strokeWidth: 1,
        }),
        Plot.dot(lines.filter(isLone), { x: "value", y: "key", r: 1.5, fill: "currentColor", fillOpacity: 0.5, clip: true }),
        bakeoff.plot.dots(data, { x: "value", y: "key", stroke: "var(--page)", r: 5.5 }),
        arrows(beyond.filter((own) => own.low), "◀", "left"),
        arrows(beyond.filter((own) => !own.low), "▶", "right"),
        ...rows.marks,
        bakeoff.plot.tip(data, { x: "value", y: "key" }, "y"),
      ],
    });
  };

  const table = (view, measure, strategies, found) => {
    const { column } = bakeoff.plot;
    const text = (value) => bakeoff.format.effect({ estimate: value, low: null, high: null }, measure.cost);
    const several = view.cells.length > 1;
    const runs = bakeoff.payload.runs;
    return {
      columns: [column("run"), column("block"), ...(several ? [column("cell")] : []), ...strategies.map((own) => column(view.label(own), text))],
      rows: found.map(({ cell, unit, values }) => [
        runs[unit[0]]?.run ?? "", unit[1], ...(several ? [bakeoff.format.cell(cell)] : []), ...strategies.map((own) => values.get(own) ?? null),
      ]),
    };
  };

  (bakeoff.charts ??= {}).blocks = {
    title: "Block by block",
    has: (task) => task.cells.length > 0 && task.strategies.length > 1,
    draw,
  };
})();
