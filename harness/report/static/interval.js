// Effects with their intervals, as harness/stats computes them: see standings.py and paired.py there.
(() => {
  "use strict";

  const bakeoff = (window.bakeoff ??= {});
  const { quantile, pValue } = bakeoff.student;

  const sum = (values) => values.reduce((total, value) => total + value, 0);
  const average = (values) => sum(values) / values.length;
  const squares = (values, around) => sum(values.map((value) => (value - around) ** 2));

  /** Interval of Student's t about an estimate, and what a test of another value needs. */
  const around = (estimate, variance, df, blocks) => {
    const se = Math.sqrt(variance);
    const half = quantile(df) * se;
    return { estimate, low: estimate - half, high: estimate + half, blocks, se, df };
  };

  /** Whether values differ by rounding only. */
  const agree = (values) =>
    Math.max(...values) - Math.min(...values) <= 1e-12 * Math.max(...values.map((value) => Math.abs(value)));

  /** Mean with Student's t interval; the function of this name in paired.py says what `overlap` and `step` do. */
  const mean = (values, { overlap = 0, step = 0 } = {}) => {
    const count = values.length;
    const none = { low: null, high: null, blocks: count, se: NaN, df: NaN };
    if (count > 1 && agree(values) && (step === 0 || values.every((value) => value === 0))) {
      return { estimate: values[0], ...none, same: true };
    }
    const estimate = average(values);
    if (count < 2) return { estimate, ...none };
    const variance = Math.max(squares(values, estimate) / (count - 1), step ** 2);
    return around(estimate, variance * (1 / count + overlap), count - 1, count);
  };

  const grouped = (values, keys) => {
    const groups = new Map();
    values.forEach((value, index) => {
      if (!groups.has(keys[index])) groups.set(keys[index], []);
      groups.get(keys[index]).push(value);
    });
    return [...groups.values()];
  };

  const rows = new WeakMap();

  /** The row of a strategy in a cell. */
  bakeoff.row = (cell, strategy) => {
    if (!rows.has(cell)) rows.set(cell, new Map(cell.rows.map((row) => [row.strategy, row])));
    return rows.get(cell).get(strategy);
  };

  /** A rate of a strategy with its exact interval, in one cell; null over several, and for what is no rate. */
  bakeoff.rate = (cells, strategy, name) =>
    (cells.length === 1 && bakeoff.row(cells[0], strategy)?.rates?.[name]) || null;

  const names = new WeakMap();

  /** One text a unit, equal for the same run, block and seed. */
  const units = (cell) => {
    if (!names.has(cell)) names.set(cell, cell.units.map((unit) => unit.join(" ")));
    return names.get(cell);
  };

  /** Index of a unit and the difference there, of logarithms for a cost; only where both were measured. */
  const differences = (cell, of, to, measure) => {
    const one = bakeoff.row(cell, of)?.values[measure.name];
    const other = bakeoff.row(cell, to)?.values[measure.name];
    const found = [];
    if (!one || !other) return found;
    for (let index = 0; index < one.length; index += 1) {
      const [a, b] = [one[index] ?? null, other[index] ?? null];
      if (a === null || b === null) continue;
      if (!measure.cost) found.push([index, a - b]);
      else if (a > 0 && b > 0) found.push([index, Math.log(a) - Math.log(b)]);
    }
    return found;
  };

  /** Mean differences over the cells, unit by unit; only units that all cells with any have. */
  const common = (cells, of, to, measure) => {
    const totals = new Map();
    const held = [];
    for (const cell of cells) {
      const part = differences(cell, of, to, measure);
      if (part.length) held.push(cell);
      for (const [index, value] of part) {
        const name = units(cell)[index];
        const total = totals.get(name);
        if (!total) totals.set(name, { unit: cell.units[index], sum: value, cells: 1 });
        else {
          total.sum += value;
          total.cells += 1;
        }
      }
    }
    const complete = [...totals.values()].filter((total) => total.cells === held.length);
    return { pairs: complete.map((total) => [total.unit, total.sum / held.length]), held };
  };

  const through = (found, change) => ({
    ...found,
    estimate: change(found.estimate),
    low: found.low === null ? null : change(found.low),
    high: found.high === null ? null : change(found.high),
    log: found.estimate,
  });

  /** Whether two groups differ, by an F test at 5 %. */
  const differ = (one, other) => {
    const df = one.length + other.length - 2;
    if (df < 1) return false;
    const [a, b] = [average(one), average(other)];
    const within = (squares(one, a) + squares(other, b)) / df;
    return (a - b) ** 2 / (1 / one.length + 1 / other.length) > within * quantile(df) ** 2;
  };

  /** The values of each session: one_session in paired.py says which runs are one. */
  const inSessions = (values, runs) => {
    const own = new Map();
    values.forEach((value, index) => {
      if (!own.has(runs[index])) own.set(runs[index], []);
      own.get(runs[index]).push(value);
    });
    const begun = new Map();
    const groups = [];
    for (const [run, part] of own) {
      const session = bakeoff.payload.runs[run]?.session ?? run;
      const first = begun.get(session);
      if (first && !differ(first, part)) {
        first.push(...part);
        continue;
      }
      groups.push(part);
      if (!first) begun.set(session, part);
    }
    return groups;
  };

  /** Mean of log-ratios; what a session adds to all of its blocks counts too: pooled_ratio in paired.py says how. */
  const pooledRatio = (values, runs) => {
    const groups = inSessions(values, runs);
    const [pooled, count] = [mean(values), values.length];
    const [betweenDf, withinDf] = [groups.length - 1, count - groups.length];
    if (betweenDf < 1 || withinDf < 1) return pooled;
    const means = groups.map(average);
    const between = sum(groups.map((own, at) => own.length * (means[at] - pooled.estimate) ** 2)) / betweenDf;
    const within = sum(groups.map((own, at) => squares(own, means[at]))) / withinDf;
    if (between <= within) return pooled;
    const sizes = sum(groups.map((own) => own.length ** 2));
    const a = ((sizes / count ** 2) * betweenDf) / (count - sizes / count);
    const b = 1 / count - a;
    const variance = a * between + b * within;
    const df = variance ** 2 / ((a * between) ** 2 / betweenDf + (b * within) ** 2 / withinDf);
    return around(pooled.estimate, variance, Math.max(1, df), count);
  };

  /** Mean difference; blocks on the same data count once. */
  const pooledDifference = (values, seeds, about) => mean(grouped(values, seeds).map(average), about);

  /** Overlap of training sets, and by how much one case changes a mean of rates over cells: see `uncertainty`. */
  const uncertainty = (cells, strategies, name) => ({
    overlap: Math.max(0, ...cells.map((cell) => cell.overlap ?? 0)),
    step: Math.max(0, ...cells.flatMap((cell) => strategies.map((own) => bakeoff.row(cell, own)?.steps?.[name] ?? 0))) / cells.length,
  });

  /** Two-sided p of no effect; null without an interval. */
  const tested = (apart, { low, se, df }) => {
    return low === null ? null : pValue(apart / se, df);
  };

  /** Whether a measure of some strategies is large enough to be compared in all of some cells. */
  bakeoff.measurable = (cells, strategies, measure) =>
    measure.unit !== "byte" ||
    cells.every((cell) =>
      strategies.every((own) => (bakeoff.rank.medianOf(cell, own, measure.name) ?? Infinity) >= bakeoff.format.LEAST_MEMORY),
    );

  /**
   * Effect of one strategy against another over some cells of one machine: a ratio for a cost, else a difference.
   * Null without a common block; `low` and `high` are null where there are too few for an interval, or all agree
   * (`same`); `cells` is the number of cells that hold both.
   */
  bakeoff.effect = (task, cells, of, to, name) => {
    const measure = bakeoff.measure(task, name);
    const found = common(cells, of, to, measure);
    if (!found.pairs.length) return null;
    const values = found.pairs.map(([, value]) => value);
    const seeds = found.pairs.map(([unit]) => unit[2]);
    const pooled = measure.cost
      ? through(pooledRatio(values, found.pairs.map(([unit]) => unit[0])), Math.exp)
      : pooledDifference(values, seeds, uncertainty(found.held, [of, to], name));
    const apart = measure.cost ? pooled.log : pooled.estimate;
    return { ...pooled, cells: found.held.length, p: tested(apart, pooled) };
  };

  /** A measure of a task by its name. */
  bakeoff.measure = (task, name) => task.measures.find((measure) => measure.name === name);
})();
