// Student's t distribution: its two-sided p and its 97.5 % quantile.
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

  bakeoff.student = { quantile, pValue };
})();
