// What can be swept: a parameter over cells that are alike otherwise, or an option over strategies that are.
(() => {
  "use strict";

  const bakeoff = (window.bakeoff ??= {});
  const isNumber = (value) => typeof value === "number" && Number.isFinite(value);

  const grouped = (list, key) => {
    const groups = new Map();
    for (const item of list) groups.set(key(item), [...(groups.get(key(item)) ?? []), item]);
    return [...groups.values()];
  };

  const without = (record, name) => Object.fromEntries(Object.entries(record).filter(([own]) => own !== name).sort());

  const place = (cell, name) => JSON.stringify([cell.machine, cell.dataset, cell.scenario, without(cell.params, name)]);

  /** The name of what the cells of a sweep share. */
  const whereOf = (cell, name) => bakeoff.format.cell({ ...cell, params: without(cell.params, name) });

  /** Sweeps of parameters among the reader's cells: {name, title, cells}, cells in the order of the parameter. */
  const ofParams = (view) => {
    const names = Object.entries(bakeoff.state.choices(view.index).params)
      .filter(([, values]) => values.filter(isNumber).length > 1)
      .map(([name]) => name);
    return names.flatMap((name) => {
      const cells = bakeoff.state.cells(view.index, { params: { [name]: bakeoff.state.ALL } }).filter((cell) => isNumber(cell.params[name]));
      const groups = grouped(cells, (cell) => place(cell, name)).filter((group) => group.length > 1);
      return groups.map((group) => ({
        name,
        option: false,
        cells: [...group].sort((a, b) => a.params[name] - b.params[name]),
        where: whereOf(group[0], name),
        title: groups.length > 1 ? `${name}: ${whereOf(group[0], name)}` : name,
      }));
    });
  };

  /** Strategies that differ in one option: {name, title, lines: [{label, strategy, members: [[value, strategy], ...]}]}. */
  const ofOptions = (view) => {
    const held = view.task.strategies
      .map((own, strategy) => ({ ...own, index: strategy }))
      .filter(({ index }) => view.cells.some((cell) => bakeoff.row(cell, index)));
    const names = [...new Set(held.flatMap((own) => Object.keys(own.options).filter((name) => isNumber(own.options[name]))))];
    return names.flatMap((name) => {
      const value = (own) => own.options[name] ?? own.defaults[name];
      const lines = grouped(held.filter((own) => isNumber(value(own))), (own) => JSON.stringify([own.strategy, without(own.options, name)]))
        .map((group) => [...group].sort((a, b) => value(a) - value(b)))
        .filter((group) => value(group[0]) !== value(group.at(-1)))
        .map((group) => ({ ...first(group, name), members: group.map((own) => [value(own), own.index]) }));
      return lines.length ? [{ name, option: true, title: `${name} (option)`, lines }] : [];
    });
  };

  /** Whom a line is named and coloured after: the strategy as it is by default, if that was run. */
  const first = (group, name) => {
    const usual = group.find((own) => !(name in own.options)) ?? group[0];
    const rest = bakeoff.format.params(without(usual.options, name));
    return { strategy: usual.index, label: rest ? `${usual.strategy}[${rest}]` : usual.strategy };
  };

  /** The slopes and crossovers that Python found for a sweep of a parameter, of one measure. */
  const fitted = (task, sweep, measure) => {
    const [cell] = sweep.cells;
    const found = task.scaling.find(
      (own) => own.param === sweep.name && place(own, sweep.name) === place(cell, sweep.name),
    );
    const of = (list) => (list ?? []).filter((own) => own.measure === measure.name && isNumber(own.estimate));
    return { slopes: of(found?.slopes), crossovers: of(found?.crossovers) };
  };

  bakeoff.sweeps = { ofParams, ofOptions, fitted };
})();
