// Which cells of a task there are to choose from, which are shown first, and which a choice means.
(() => {
  "use strict";

  const bakeoff = (window.bakeoff ??= {});
  const ALL = "*";
  const PLACES = ["machine", "dataset", "scenario"];

  const distinct = (values) => [...new Set(values)];

  const ordered = (values) =>
    values.every((value) => typeof value === "number") ? values.toSorted((a, b) => a - b) : values;

  /** The values of a parameter in some cells; not every data set has every parameter. */
  const valuesOf = (cells, name) =>
    ordered(distinct(cells.map((cell) => cell.params[name]).filter((value) => value !== undefined)));

  const choices = ({ cells }) => {
    const names = distinct(cells.flatMap((cell) => Object.keys(cell.params))).toSorted();
    const params = names.map((name) => [name, valuesOf(cells, name)]).filter(([, values]) => values.length > 1);
    const places = PLACES.map((place) => [place, distinct(cells.map((cell) => cell[place]))]);
    return { ...Object.fromEntries(places), params: Object.fromEntries(params) };
  };

  /** How many parameters have the same value in two cells. */
  const alike = (one, other) =>
    Object.entries(one.params).filter(([name, value]) => value === other.params[name]).length;

  /** The cell to show first: with the reference, the most strategies, and most values in common with the others. */
  const centre = (cells, reference) => {
    const scored = cells.map((cell) => ({
      cell,
      compared: cell.rows.some((row) => row.strategy === reference && row.statuses.ok),
      strategies: cell.rows.filter((row) => row.statuses.ok).length,
      shared: cells.reduce((total, other) => total + alike(cell, other), 0),
    }));
    const better = (a, b) => a.compared - b.compared || a.strategies - b.strategies || a.shared - b.shared;
    return scored.reduce((best, own) => (better(own, best) > 0 ? own : best)).cell;
  };

  /** The cell to show first: of the first machine and data, clean if there is such a scenario. */
  const firstCell = ({ cells }, reference) => {
    if (!cells.length) return null;
    const near = cells.filter((cell) => cell.machine === cells[0].machine && cell.dataset === cells[0].dataset);
    const scenario = near.some((cell) => cell.scenario === "clean") ? "clean" : cells[0].scenario;
    return centre(near.filter((cell) => cell.scenario === scenario), reference);
  };

  /** The choices that a page starts with. */
  const initial = (task) => {
    const reference = task.strategies.findIndex((strategy) => strategy.label === task.reference);
    const first = firstCell(task, reference);
    const main = task.measures.find((measure) => !measure.cost) ?? task.measures[0];
    const params = Object.keys(choices(task).params).map((name) => [name, first.params[name] ?? ALL]);
    return {
      dataset: first?.dataset ?? ALL,
      scenario: first?.scenario ?? ALL,
      machine: first?.machine ?? 0,
      params: Object.fromEntries(params),
      reference: Math.max(0, reference),
      sort: "rank",
      direction: "ascending",
      rank: main?.name ?? "",
      view: "effect",
      phases: false,
    };
  };

  const means = (chosen, value) => chosen === ALL || chosen === value;

  /** The cells that some choices mean; a cell without a parameter goes with any value of it. */
  const select = (cells, state) => {
    const fits = (cell) => ([name, value]) => !(name in cell.params) || means(value, cell.params[name]);
    const placed = (cell) => PLACES.every((place) => means(state[place], cell[place]));
    return cells.filter((cell) => placed(cell) && Object.entries(state.params).every(fits(cell)));
  };

  /** The choices that have cells and keep most of some others; the place counts more than a parameter. */
  const nearest = (cells, state) => {
    const kept = (cell) =>
      PLACES.filter((place) => means(state[place], cell[place])).length * 2 +
      Object.entries(state.params).filter(([name, value]) => means(value, cell.params[name])).length;
    const best = cells.reduce((found, cell) => (kept(cell) > kept(found) ? cell : found));
    const moved = (chosen, value) => (chosen === ALL ? ALL : (value ?? ALL));
    const params = Object.entries(state.params).map(([name, own]) => [name, moved(own, best.params[name])]);
    const places = PLACES.map((place) => [place, moved(state[place], best[place])]);
    return { ...Object.fromEntries(places), params: Object.fromEntries(params) };
  };

  bakeoff.selection = { ALL, choices, initial, select, nearest };
})();
