// What single strategies reached, with intervals; the arithmetic is that of bakeoff.effect, against one or nothing.
(() => {
  "use strict";

  const bakeoff = (window.bakeoff ??= {});
  const [OWN, OTHER] = [0, 1];

  const made = ({ units, overlap }, name, own, other) => ({
    units,
    overlap,
    rows: [
      { strategy: OWN, values: { [name]: own } },
      { strategy: OTHER, values: { [name]: other } },
    ],
  });

  /** Mean of a measure over blocks (geometric for a cost), as {estimate, low, high, blocks, cells}; null without one. */
  const mean = (task, cells, strategy, name) => {
    const rate = bakeoff.rate(cells, strategy, name);
    if (rate) return { ...rate, cells: 1, p: null };
    const none = bakeoff.measure(task, name).cost ? 1 : 0;
    const held = cells
      .map((cell) => [cell, bakeoff.row(cell, strategy)?.values[name]])
      .filter(([, values]) => values?.some((value) => value !== null))
      .map(([cell, values]) => made(cell, name, values, values.map(() => none)));
    return held.length ? bakeoff.effect(task, held, OWN, OTHER, name) : null;
  };

  /** Change of a strategy from one cell to another, block by block, over some such pairs: [[from, to], ...]. */
  const change = (task, pairs, strategy, name) => {
    const held = pairs.map(([from, to]) => {
      const before = bakeoff.row(from, strategy)?.values[name] ?? [];
      const known = new Map(from.units.map((unit, at) => [unit.join(" "), before[at] ?? null]));
      const after = bakeoff.row(to, strategy)?.values[name] ?? to.units.map(() => null);
      return made(to, name, after, to.units.map((unit) => known.get(unit.join(" ")) ?? null));
    });
    const compared = held.length > 0 && bakeoff.measurable(held, [OWN, OTHER], bakeoff.measure(task, name));
    return compared ? bakeoff.effect(task, held, OWN, OTHER, name) : null;
  };

  /** The strategies that were measured in as many of the cells as any: others' means are of other cells. */
  const comparable = (found) => {
    const most = Math.max(0, ...found.map((entry) => entry.cells));
    return [found.filter((entry) => entry.cells === most), found.filter((entry) => entry.cells < most)];
  };

  /** Points that no other beats in one respect without losing in the other, from the cheapest on. */
  const front = (points, better) => {
    const sign = better === "higher" ? -1 : 1;
    const beats = (a, b) => {
      const [cost, quality] = [a.cost - b.cost, sign * (a.quality - b.quality)];
      return cost <= 0 && quality <= 0 && (cost < 0 || quality < 0);
    };
    return points.filter((own) => !points.some((other) => beats(other, own))).sort((a, b) => a.cost - b.cost);
  };

  /** Strategies that have a value of a measure in some cells. */
  const having = (task, cells, name) =>
    task.strategies
      .map((_, at) => at)
      .filter((at) => cells.some((cell) => bakeoff.row(cell, at)?.values[name]?.some((value) => value !== null)));

  bakeoff.levels = { mean, change, comparable, front, having };
})();
