// Compare results: a ledger, or what `quantmap results --json` wrote. Both are read as untrusted text.
const MOST_ROWS = 100000, SHOWN_ROWS = 200, MOST_EFFECTS = 12;
const results = { rows: [], metrics: [], title: "", best: null, effects: [], limits: [], goal: "", goalIsLess: false, rival: "" };
const SIGNATURE = /^[0-9a-f]{32}$/;
const FINISHED = ["success", "succeeded", "completed", "finished", "done", "ok"];
const FAILED = ["failed", "error", "timeout", "cancelled"];
// Which metrics are better when they are less; the others are better when they are more. The task's word counts for its own.
const LESS = /^(ttft|tpot|itl|latency|memory_usage)/;
const isLess = (name) => (name === results.goal ? results.goalIsLess : LESS.test(name));

// What is worth a column: percentiles of what is measured itself only where they are looked at, or have a limit.
const STATISTIC = /_(mean|median|std|min|max|p\d+(\.\d+)?)(?= \[|$)/;

function shownMetrics() {
  const looked = new Set([results.goal, byId("up").value, byId("across").value, ...results.limits.map((one) => one.metric)]);
  return results.metrics.filter((name) => looked.has(name) || !STATISTIC.test(name) || !results.metrics.includes(name.replace(STATISTIC, "")));
}

function measuredOf(values) {
  let sum = 0, low = Infinity, high = -Infinity;
  for (const value of values) { sum += value; low = Math.min(low, value); high = Math.max(high, value); }
  return { mean: sum / values.length, low, high, count: values.length };
}

// By names that a file gives: an object of its own has none before, so that "constructor" is a metric like any other.
const named = (pairs) => Object.assign(Object.create(null), Object.fromEntries(pairs));

function numbersOf(data) {
  const given = data.metrics && typeof data.metrics === "object" ? data.metrics : {};
  return Object.entries(given).filter(([name, value]) => name !== "__proto__" && Number.isFinite(value));
}

// The lines of ledgers by signature; what a failed or interrupted run measured does not count.
function readLedger(text, found) {
  let unread = 0;
  for (const line of text.split("\n")) {
    if (!line.trim()) continue;
    let data = null;
    try { data = JSON.parse(line); } catch { /* counted below */ }
    const status = typeof data?.status === "string" ? data.status.toLowerCase() : "";
    if (!status || !SIGNATURE.test(data.signature)) { unread += 1; continue; }
    if (!found.has(data.signature)) found.set(data.signature, { label: data.signature.slice(0, 8), values: named([]), pending: [], status: "" });
    const row = found.get(data.signature);
    row.status = status;
    if (typeof data.launch === "string") row.label = data.launch;
    if (status === "running") row.pending = [];
    else if (FAILED.includes(status)) { row.pending = []; row.reason = String(data.reason || ""); }
    else row.pending.push(...numbersOf(data));
    if (FINISHED.includes(status)) {
      for (const [name, value] of row.pending) (row.values[name] ||= []).push(value);
      row.pending = [];
    }
  }
  return unread;
}

function fromLedger(found) {
  return [...found.values()].map((row, index) => ({
    index, label: row.label, status: row.status, reason: row.reason || "", admissible: true, broken: [], expected: new Map(), precision: [],
    metrics: named(FAILED.includes(row.status) ? [] : Object.entries(row.values).map(([name, values]) => [name, measuredOf(values)])),
  }));
}

const argsOf = (args) => (args && typeof args === "object" ? Object.entries(args).map(([flag, value]) => (value === true ? flag : `${flag} ${value}`)).join(" ") : "");
const textOf = (value) => (typeof value === "string" ? value : "");
const pairsOf = (data, fits) => Object.entries(data && typeof data === "object" ? data : {}).filter(([name, value]) => name !== "__proto__" && fits(value));

function fromResults(data) {
  const units = named(pairsOf(data.units, (unit) => typeof unit === "string"));
  const titled = (name) => (units[name] ? `${name} [${units[name]}]` : name);
  results.title = textOf(data.task_name);
  results.best = data.best;
  results.effects = Array.isArray(data.effects) ? data.effects : [];
  results.goal = titled(textOf(data.objective?.metric));
  results.goalIsLess = data.objective?.more === false;
  results.limits = (Array.isArray(data.limits) ? data.limits : []).filter((one) => one && Number.isFinite(one.bound)).slice(0, 100)
    .map((one) => ({ metric: titled(textOf(one.metric)), most: one.most !== false, bound: one.bound }));
  results.rival = titled(textOf(data.front?.metrics?.[1]));
  return data.rows.slice(0, MOST_ROWS).filter((row) => row && typeof row === "object").map((row, index) => ({
    index: Number.isInteger(row.index) ? row.index : index, label: textOf(row.label), status: textOf(row.status), reason: textOf(row.reason), args: argsOf(row.args),
    admissible: row.admissible !== false, broken: Array.isArray(row.broken) ? row.broken.map((item) => textOf(item?.metric)) : [],
    metrics: named(pairsOf(row.metrics, (item) => Number.isFinite(item?.mean)).map(([name, item]) => [titled(name), item])),
    expected: new Map(pairsOf(row.expected, Number.isFinite).map(([name, value]) => [titled(name), value])),
    precision: pairsOf(row.precision, (value) => typeof value === "string"),
  }));
}

async function takeResults(list) {
  const began = performance.now();
  const unread = readResults(await Promise.all([...list].map((file) => file.text())));
  byId("loaded").textContent = `${count(results.rows.length, "experiment")} in ${Math.round(performance.now() - began)} ms${unread ? `; ${count(unread, "line")} ${unread === 1 ? "is no result" : "are no results"}` : ""}`;
}

function readResults(texts) {
  const ledger = new Map();
  let unread = 0;
  Object.assign(results, { rows: [], title: "", best: null, effects: [], limits: [], goal: "", goalIsLess: false, rival: "" });
  for (const text of texts) {
    let data = null;
    try { data = JSON.parse(text); } catch { /* not one document, so lines */ }
    if (data && Array.isArray(data.rows)) results.rows = fromResults(data);
    else unread += readLedger(text, ledger);
  }
  if (ledger.size) Object.assign(results, { rows: fromLedger(ledger), best: null, effects: [] });
  const names = new Set();
  for (const row of results.rows) for (const name of Object.keys(row.metrics)) names.add(name);
  results.metrics = [...names];
  const has = (wanted) => results.metrics.find((name) => name === wanted);
  const first = has(results.goal) || results.metrics.find((name) => !isLess(name)) || results.metrics[0] || "";
  const others = results.metrics.filter((name) => name !== first);
  const second = has(results.rival) || others.find((name) => isLess(name) !== isLess(first)) || others[0] || "";
  options("up", results.metrics.map((name) => [name, name]), first);
  options("across", results.metrics.map((name) => [name, name]), second);
  byId("axes").hidden = !results.metrics.length;
  showCompared();
  return unread;
}

function showCompared() {
  const place = byId("compared");
  if (!results.rows.length) {
    fill(place, card("What came of it", el("p", { class: "soft" }, "Open a ledger to see what nothing beats, or the JSON of quantmap results to see the best under your task's limits as well.")));
    return;
  }
  const up = byId("up").value, across = byId("across").value;
  const points = results.rows.filter((row) => row.admissible && row.metrics[up] && row.metrics[across])
    .map((row) => ({ row, x: row.metrics[across], y: row.metrics[up] }));
  const front = points.length ? frontOf(points, up, across) : [];
  const numbers = new Map(front.map((point, place) => [point.row, place + 1]));
  const rows = results.rows.filter((row) => row.metrics[up]);
  rows.sort((a, b) => Number(b.admissible) - Number(a.admissible) || (betterOf(up, a.metrics[up].mean, b.metrics[up].mean) ? -1 : 1));
  const drawing = points.length > 1 && up !== across;
  const effects = effectsShown();
  fill(
    place,
    bestShown(up),
    el("div", { class: drawing && effects ? "two" : "one" },
      drawing ? card(`${up} against ${across}`, pictureOf(points, front, up, across), el("p", { class: "why" }, "Nothing beats the numbered ones in both; the table has their numbers.", limitsOf(up, across).length ? " The hatched side is beyond a limit of the task." : "")) : null, effects),
    card(`Measured, the best ${up} first`, tableOf(rows, numbers)),
    failuresShown(),
  );
}

// How far it is, and the best of it with its arguments.
function bestShown(up) {
  const of = (status) => results.rows.filter((row) => row.status === status).length;
  const failed = results.rows.filter((row) => FAILED.includes(row.status)).length;
  const measured = results.rows.filter((row) => Object.keys(row.metrics).length).length;
  const waiting = of("not-run") + of("unfinished") + of("running");
  const best = results.rows.find((row) => row.index === results.best);
  const tiles = best ? Object.entries(best.metrics).filter(([name]) => shownMetrics().includes(name)).map(([name, item]) => el("div", {}, el("dt", {}, name), el("dd", {}, grouped.format(item.mean), ...besideOf(best, name, item)))) : [];
  const runs = best ? best.precision.map(([part, what]) => el("div", {}, el("dt", {}, partName(part)), el("dd", { class: "long" }, what))) : [];
  return el("section", { class: "card" },
    el("div", { class: "head" }, el("h2", {}, results.title || "Results"), el("div", { class: "chips" }, badge(`${measured} measured`, "good"),
      failed ? badge(`${failed} failed`, "bad") : null, waiting ? badge(`${waiting} to run`, "plain") : null)),
    ...(best ? [el("p", {}, el("strong", { class: "good" }, "Best under the task's limits: "), el("code", {}, best.label)),
      best.args ? el("pre", { tabindex: "0" }, ...unbroken(best.args)) : null,
      el("div", { class: "acts" }, best.args ? copyButton("Copy its arguments", best.args, true) : null), el("dl", { class: "tiles" }, ...tiles),
      ...(runs.length ? [el("h3", {}, "What really runs in it"), el("dl", { class: "tiles" }, ...runs)] : [])]
      : [el("p", { class: "soft" }, `Without the task nothing says which is best; the table begins with the best ${up}.`)]));
}

const percent = (share) => `${share > 0 ? "+" : ""}${(share * 100).toFixed(1)} %`;

// What a number of the best is read beside: its limit, what was expected, and what the plan's first launch does.
function besideOf(row, name, item) {
  const words = results.limits.filter((one) => one.metric === name).map((one) => `limit: at ${one.most ? "most" : "least"} ${grouped.format(one.bound)}`);
  const expected = row.expected.get(name);
  if (expected) words.push(`expected ${grouped.format(expected)}, measured ${percent(item.mean / expected - 1)}`);
  const first = results.rows.find((one) => one.index === 0)?.metrics[name]?.mean;
  if (first && first !== item.mean) words.push(`${percent(item.mean / first - 1)} against the plan's first`);
  return words.map((text) => el("span", { class: "beside" }, text));
}

// Failed experiments by reason; the numbers in a reason do not tell two apart.
function failuresShown() {
  const groups = new Map();
  for (const row of results.rows) {
    if (!row.reason || row.status === "success") continue;
    const kind = row.reason.replace(/\d+(\.\d+)?/g, "#");
    const group = groups.get(kind) || [row.reason, 0];
    groups.set(kind, [group[0], group[1] + 1]);
  }
  const lines = [...groups.values()].sort((a, b) => b[1] - a[1]).slice(0, 50);
  return lines.length ? card("Failed", el("ul", { class: "plain" }, ...lines.map(([reason, number]) => el("li", {}, badge(`${number}x`, "bad"), el("span", {}, reason))))) : null;
}

// Of a setting with many values the step from each to the next comes first; the other pairs are behind them.
function effectsShown() {
  const known = results.effects.filter((item) => item && Number.isFinite(item.change)).slice(0, 500);
  if (!known.length) return null;
  const steps = new Map(known.map((item) => [JSON.stringify([item.part, item.after]), item]));
  const first = [...steps.values()].slice(0, MOST_EFFECTS), taken = new Set(first);
  const most = Math.max(...first.map((item) => Math.abs(item.change))) || 1;
  const rest = known.filter((item) => !taken.has(item)).slice(0, 200);
  return card("What one change does, all else equal", ...first.map((item) => effectShown(item, most)),
    rest.length ? el("details", {}, el("summary", {}, `${count(rest.length, "other pair")} of values`), ...rest.map((item) => effectShown(item, most))) : null);
}

function effectShown(item, most) {
  const size = Math.min(1, Math.abs(item.change) / most) * 50;
  const piece = el("span", {});
  piece.style.width = `${size}%`;
  piece.style.left = `${item.change < 0 ? 50 - size : 50}%`;
  const noise = item.clear === false ? ", within the noise" : "";
  return el("div", { class: "turn" }, el("span", {}, `${textOf(item.part)}: ${textOf(item.before) || "not set"} → ${textOf(item.after) || "not set"}`),
    el("b", {}, percent(item.change)), el("span", { class: "track", "aria-hidden": "true" }, piece),
    el("span", { class: "why" }, `${textOf(item.metric)}, ${count(Number(item.pairs) || 0, "pair")}${noise}`));
}

function cellOf(item) {
  if (!item) return el("td", { class: "n" }, "–");
  const spread = item.count > 1 && item.mean && Number.isFinite(item.high - item.low) ? ` ±${(((item.high - item.low) / 2 / Math.abs(item.mean)) * 100).toFixed(1)} %` : "";
  return el("td", { class: "n" }, grouped.format(item.mean), spread ? el("span", { class: "soft" }, spread) : null);
}

// The parts of a label that quantmap made, by name: "a:1+b" is a 1 and b. Null for a label of another kind.
function partsOf(label) {
  if (!label.includes(":") || /[\s<>"'`]/.test(label)) return null;
  return new Map(label.split("+").map((part) => (part.includes(":") ? [part.slice(0, part.indexOf(":")), part.slice(part.indexOf(":") + 1)] : [part, "✓"])));
}

function tableOf(rows, numbers) {
  const shown = rows.slice(0, SHOWN_ROWS), metrics = shownMetrics();
  const parts = shown.map((row) => partsOf(row.label));
  const names = parts.every(Boolean) ? [...new Set(parts.flatMap((part) => [...part.keys()]))] : [];
  const split = names.length > 0 && names.length <= 8;
  const launch = (place) => (split ? names.map((name) => el("td", {}, parts[place].get(name) || "–")) : [el("td", {}, el("code", {}, shown[place].label))]);
  const body = shown.map((row, place) => el("tr", { class: row.index === results.best ? "top" : false },
    el("td", {}, numbers.has(row) ? el("span", { class: "rank" }, String(numbers.get(row))) : ""), ...metrics.map((name) => cellOf(row.metrics[name])),
    el("td", { class: !row.admissible ? "bad" : row.broken.length ? "turned" : "good" }, row.broken.length ? `${row.admissible ? "↓" : "✗"} ${row.broken.join(", ")}` : "✓"), ...launch(place)));
  const heads = [["front"], ...metrics.map((name) => [name, "n"]), ["limits"], ...(split ? names : ["launch"]).map((name) => [name])];
  const hidden = results.metrics.length - metrics.length;
  const more = [
    rows.length > SHOWN_ROWS ? `and ${rows.length - SHOWN_ROWS} more, all of them in the picture` : "",
    hidden ? `${count(hidden, "percentile or deviation", "percentiles and deviations")} can be looked at above` : "",
  ].filter(Boolean).map((text) => el("p", { class: "soft" }, text));
  return el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Measured" },
    el("table", { id: "table" }, el("thead", {}, el("tr", {}, ...heads.map(([head, look]) => el("th", { scope: "col", class: look || false }, head)))), el("tbody", {}, ...body)), ...more);
}
