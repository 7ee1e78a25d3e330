// Effects with their intervals, as harness/stats computes them: see standings.py and paired.py there.
(() => {
  "use strict";

  const bakeoff = (window.bakeoff ??= {});
  const ALPHA = 0.05;

  // Lanczos approximation, g = 7.
  const LANCZOS = [
    0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
    12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
  ];

  const logGamma = (x) => {
    const shifted = x + 6.5;
    const sum = LANCZOS.reduce((total, part, index) => total + (index ? part / (x - 1 + index) : part), 0);
    return 0.5 * Math.log(2 * Math.PI) + (x - 0.5) * Math.log(shifted) - shifted + Math.log(sum);
  };

  /** Continued fraction of the incomplete beta function, by Lentz's method. */
  const fraction = (x, a, b) => {
    const safe = (value) => (Math.abs(value) < 1e-300 ? 1e-300 : value);
    let c = 1;
    let d = 1 / safe(1 - ((a + b) * x) / (a + 1));
    let total = d;
    for (let m = 1; m < 500; m += 1) {
      const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
      d = 1 / safe(1 + even * d);
      c = safe(1 + even / c);
      total *= d * c;
      const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
      d = 1 / safe(1 + odd * d);
      c = safe(1 + odd / c);
      total *= d * c;
      if (Math.abs(d * c - 1) < 1e-14) break;
    }
    return total;
  };

  /** Regularised incomplete beta function; `y` is 1 - x, given apart so that no digit is lost. */
  const beta = (x, y, a, b) => {
    if (x <= 0 || y <= 0) return x <= 0 ? 0 : 1;
    const scale = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log(y));
    return x < (a + 1) / (a + b + 2) ? (scale * fraction(x, a, b)) / a : 1 - (scale * fraction(y, b, a)) / b;
  };

  /** Two-sided p of Student's t. */
  const pValue = (t, df) => {
    if (!Number.isFinite(t)) return Number.isNaN(t) ? NaN : 0;
    const squared = t * t;
    return beta(df / (df + squared), squared / (df + squared), df / 2, 0.5);
  };

  const quantiles = new Map();

  /** 97.5 % quantile of Student's t: from the payload's table for whole degrees of freedom, else by bisection. */
  const quantile = (df) => {
    const table = bakeoff.payload?.t ?? [];
    if (Number.isInteger(df) && df >= 1 && df <= table.length) return table[df - 1];
    if (!quantiles.has(df)) {
      let [low, high] = [0, 1];
      while (pValue(high, df) > ALPHA) high *= 2;
      for (let step = 0; step < 80; step += 1) {
        const middle = (low + high) / 2;
        if (pValue(middle, df) > ALPHA) low = middle;
        else high = middle;
      }
      quantiles.set(df, high);
    }
    return quantiles.get(df);
  };

  /** Interval of Student's t about an estimate, and what a test of another value needs. */
  const around = (estimate, se, df, blocks) => {
    const half = quantile(df) * se;
    return { estimate, low: estimate - half, high: estimate + half, blocks, se, df };
  };

  const mean = (values) => {
    const count = values.length;
    const estimate = average(values);
    if (count < 2) return { estimate, low: null, high: null, blocks: count, se: NaN, df: 0 };
    const squares = sum(values.map((value) => (value - estimate) ** 2));
    return around(estimate, Math.sqrt(squares / (count - 1)) / Math.sqrt(count), count - 1, count);
  };

  const grouped = (values, keys) => {
    const groups = new Map();
    values.forEach((value, index) => {
      if (!groups.has(keys[index])) groups.set(keys[index], []);
      groups.get(keys[index]).push(value);
    });
    return [...groups.values()];
  };

  const average = (values) => sum(values) / values.length;

  const rows = new WeakMap();

  /** The row of a strategy in a cell. */
  bakeoff.row = (cell, strategy) => {
    if (!rows.has(cell)) rows.set(cell, new Map(cell.rows.map((row) => [row.strategy, row])));
    return rows.get(cell).get(strategy);
  };

  const names = new WeakMap();

  /** One text a unit, equal for the same run, block and seed. */
  const units = (cell) => {
    if (!names.has(cell)) names.set(cell, cell.units.map((unit) => unit.join(" ")));
    return names.get(cell);
  };

  /** Index of a unit to the difference there, of logarithms for a cost; only where both were measured. */
  const differences = (cell, of, to, measure) => {
    const one = bakeoff.row(cell, of)?.values[measure.name];
    const other = bakeoff.row(cell, to)?.values[measure.name];
    const found = new Map();
    if (!one || !other) return found;
    for (let index = 0; index < one.length; index += 1) {
      const [a, b] = [one[index], other[index]];
      if (a === null || b === null || a === undefined || b === undefined) continue;
      if (!measure.cost) found.set(index, a - b);
      else if (a > 0 && b > 0) found.set(index, Math.log(a) - Math.log(b));
    }
    return found;
  };

  /** Mean differences over the cells, unit by unit; only units that all cells with any have. */
  const common = (cells, of, to, measure) => {
    const parts = cells.map((cell) => [cell, differences(cell, of, to, measure)]).filter(([, part]) => part.size);
    if (!parts.length) return { pairs: [], cells: 0 };
    const [first, found] = parts[0];
    const named = parts.map(([cell, part]) => new Map([...part].map(([index, value]) => [units(cell)[index], value])));
    const pairs = [...found.keys()]
      .filter((index) => named.every((part) => part.has(units(first)[index])))
      .map((index) => [first.units[index], average(named.map((part) => part.get(units(first)[index])))]);
    return { pairs, cells: parts.length };
  };

  const through = (found, change) => ({
    ...found,
    estimate: change(found.estimate),
    low: found.low === null ? null : change(found.low),
    high: found.high === null ? null : change(found.high),
    log: found.estimate,
  });

  const sum = (values) => values.reduce((total, value) => total + value, 0);

  /** Mean log-ratio; with several runs the spread between runs counts too: pooled_ratio of harness/stats/paired.py. */
  const pooledRatio = (values, sessions) => {
    const groups = grouped(values, sessions);
    const [count, least] = [values.length, values.length - groups.length];
    const pooled = mean(values);
    if (groups.length < 2 || least < 1) return pooled;
    const means = groups.map(average);
    const between = sum(groups.map((group, at) => group.length * (means[at] - pooled.estimate) ** 2)) / (groups.length - 1);
    const within = sum(groups.map((group, at) => sum(group.map((value) => (value - means[at]) ** 2)))) / least;
    if (between <= within) return pooled;
    const squares = sum(groups.map((group) => group.length ** 2));
    const a = ((squares / count ** 2) * (groups.length - 1)) / (count - squares / count);
    const b = 1 / count - a;
    const variance = a * between + b * within;
    const spread = (a * between) ** 2 / (groups.length - 1) + (b * within) ** 2 / least;
    return around(pooled.estimate, Math.sqrt(variance), Math.max(1, variance ** 2 / spread), count);
  };

  /** Mean difference; blocks on the same data count once. */
  const pooledDifference = (values, seeds) => mean(grouped(values, seeds).map(average));

  /**
   * Effect of one strategy against another over some cells of one machine: a ratio for a cost, else a difference.
   * Null without a common block; `low` and `high` are null where there are too few for an interval; `cells` is the
   * number of cells that hold both.
   */
  bakeoff.effect = (task, cells, of, to, name) => {
    const measure = bakeoff.measure(task, name);
    const found = common(cells, of, to, measure);
    if (!found.pairs.length) return null;
    const values = found.pairs.map(([, value]) => value);
    const pooled = measure.cost
      ? through(pooledRatio(values, found.pairs.map(([unit]) => unit[0])), Math.exp)
      : pooledDifference(values, found.pairs.map(([unit]) => unit[2]));
    const apart = measure.cost ? pooled.log : pooled.estimate;
    return { ...pooled, cells: found.cells, p: pooled.low === null ? null : pValue(apart / pooled.se, pooled.df) };
  };

  /** A measure of a task by its name. */
  bakeoff.measure = (task, name) => task.measures.find((measure) => measure.name === name);

  bakeoff.student = { quantile, pValue };
})();
