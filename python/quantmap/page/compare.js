// Compare results: a ledger, or what `quantmap results --json` wrote. Both are read as untrusted text.
const MOST_ROWS = 100000, SHOWN_ROWS = 200;
const results = { rows: [], metrics: [], title: "", best: null, effects: [], failures: [], more: {} };
const SIGNATURE = /^[0-9a-f]{32}$/;
const FINISHED = ["success", "succeeded", "completed", "finished", "done", "ok"];
const FAILED = ["failed", "error", "timeout", "cancelled"];
// Which metrics are better when they are less; the others are better when they are more.
const LESS = /^(ttft|tpot|itl|latency|memory_usage)/;

function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function numbersOf(data) {
  const given = data.metrics && typeof data.metrics === "object" ? data.metrics : {};
  return Object.entries(given).filter(([, value]) => Number.isFinite(value));
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
    if (!found.has(data.signature)) found.set(data.signature, { label: data.signature.slice(0, 8), values: {}, pending: [], status: "" });
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
    index, label: row.label, status: row.status, reason: row.reason || "", admissible: true, broken: [],
    metrics: FAILED.includes(row.status) ? {} : Object.fromEntries(Object.entries(row.values).map(([name, values]) =>
      [name, { mean: mean(values), low: Math.min(...values), high: Math.max(...values), count: values.length }])),
  }));
}

const textOf = (value) => (typeof value === "string" ? value : "");

function fromResults(data) {
  const units = data.units && typeof data.units === "object" ? data.units : {};
  const named = (name) => (units[name] ? `${name} [${units[name]}]` : name);
  results.title = textOf(data.task_name);
  results.best = data.best;
  results.effects = Array.isArray(data.effects) ? data.effects : [];
  results.failures = Array.isArray(data.failures) ? data.failures : [];
  return data.rows.slice(0, MOST_ROWS).filter((row) => row && typeof row === "object").map((row, index) => ({
    index: Number.isInteger(row.index) ? row.index : index, label: textOf(row.label), status: textOf(row.status), reason: textOf(row.reason),
    admissible: row.admissible !== false, broken: Array.isArray(row.broken) ? row.broken.map((item) => textOf(item?.metric)) : [],
    metrics: Object.fromEntries(Object.entries(row.metrics || {}).filter(([, item]) => Number.isFinite(item?.mean)).map(([name, item]) => [named(name), item])),
  }));
}

async function takeResults(list) {
  const began = performance.now();
  const ledger = new Map();
  let unread = 0;
  Object.assign(results, { rows: [], title: "", best: null, effects: [], failures: [] });
  for (const file of list) {
    const text = await file.text();
    let data = null;
    try { data = JSON.parse(text); } catch { /* not one document, so lines */ }
    if (data && Array.isArray(data.rows)) results.rows = fromResults(data);
    else unread += readLedger(text, ledger);
  }
  if (ledger.size) results.rows = fromLedger(ledger);
  const names = new Set();
  for (const row of results.rows) for (const name of Object.keys(row.metrics)) names.add(name);
  results.metrics = [...names];
  const first = results.metrics.find((name) => !LESS.test(name)) || results.metrics[0] || "";
  const second = results.metrics.find((name) => LESS.test(name) !== LESS.test(first)) || results.metrics.find((name) => name !== first) || "";
  options("up", results.metrics.map((name) => [name, name]), first);
  options("across", results.metrics.map((name) => [name, name]), second);
  const bad = unread ? `; ${unread} lines are no results` : "";
  showCompared();
  byId("loaded").textContent = `${results.rows.length} experiments in ${Math.round(performance.now() - began)} ms${bad}`;
}

const betterOf = (name, one, two) => (LESS.test(name) ? one < two : one > two);

function frontOf(rows, up, across) {
  const sign = (name) => (LESS.test(name) ? 1 : -1);
  const sorted = [...rows].sort((a, b) => sign(up) * (a.y - b.y) || sign(across) * (a.x - b.x));
  const front = [];
  for (const row of sorted) if (!front.length || betterOf(across, row.x, front.at(-1).x)) front.push(row);
  return front;
}

function scaleOf(values, begin, end) {
  let low = Infinity, high = -Infinity;
  for (const value of values) { low = Math.min(low, value); high = Math.max(high, value); }
  const pad = (high - low) * 0.06 || Math.abs(high) * 0.1 || 1;
  [low, high] = [low - pad, high + pad];
  const raw = (high - low) / 5, power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((times) => times * power).find((size) => size >= raw);
  const ticks = [];
  for (let value = Math.ceil(low / step) * step; value <= high; value += step) ticks.push(value);
  return { at: (value) => begin + ((value - low) / (high - low)) * (end - begin), ticks };
}

function pictureOf(points, front, up, across) {
  const [width, height, left, bottom, margin] = [720, 360, 76, 48, 16];
  const x = scaleOf(points.map((point) => point.x), left, width - margin);
  const y = scaleOf(points.map((point) => point.y), height - bottom, margin);
  const place = (point) => `${x.at(point.x).toFixed(1)} ${y.at(point.y).toFixed(1)}`;
  const say = (text, at) => drawn("text", at, text);
  return drawn("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `${up} against ${across}; the table below holds the numbers` },
    ...x.ticks.map((value) => drawn("path", { class: "grid", d: `M${x.at(value)} ${margin}V${height - bottom}` })),
    ...y.ticks.map((value) => drawn("path", { class: "grid", d: `M${left} ${y.at(value)}H${width - margin}` })),
    ...x.ticks.map((value) => say(grouped.format(value), { x: x.at(value), y: height - bottom + 18, "text-anchor": "middle" })),
    ...y.ticks.map((value) => say(grouped.format(value), { x: left - 8, y: y.at(value) + 4, "text-anchor": "end" })),
    say(`${across}, ${LESS.test(across) ? "less" : "more"} is better`, { x: width - margin, y: height - 8, "text-anchor": "end" }),
    say(`${up}, ${LESS.test(up) ? "less" : "more"} is better`, { x: 4, y: 12 }),
    drawn("path", { class: "dots", d: points.map((point) => `M${place(point)}h0`).join("") }),
    drawn("path", { class: "front", d: `M${front.map(place).join("L")}` }),
    ...front.map((point) => drawn("circle", { class: "on", r: 5, cx: x.at(point.x), cy: y.at(point.y) }, drawn("title", {}, point.row.label))));
}

function showCompared() {
  const place = byId("compared");
  if (!results.rows.length) {
    place.replaceChildren(el("p", { class: "soft" }, "Open a ledger to see what nothing beats, or the JSON of quantmap results to see the best under your task's limits as well."));
    return;
  }
  const up = byId("up").value, across = byId("across").value;
  const points = results.rows.filter((row) => row.admissible && row.metrics[up] && row.metrics[across])
    .map((row) => ({ row, x: row.metrics[across].mean, y: row.metrics[up].mean }));
  const front = points.length ? frontOf(points, up, across) : [];
  const on = new Set(front.map((point) => point.row));
  const rows = results.rows.filter((row) => row.metrics[up]);
  rows.sort((a, b) => Number(b.admissible) - Number(a.admissible) || (betterOf(up, a.metrics[up].mean, b.metrics[up].mean) ? -1 : 1));
  const best = results.rows.find((row) => row.index === results.best);
  fill(
    place,
    results.title ? el("h2", {}, results.title) : null,
    best ? el("p", {}, el("strong", { class: "good" }, "Best under the task's limits: "), best.label) : null,
    points.length > 1 && up !== across ? pictureOf(points, front, up, across) : null,
    el("h2", {}, `Measured, the best ${up} first`), tableOf(rows, on),
    ...listOf("What one change does", results.effects.slice(0, 50).map((item) =>
      `${textOf(item?.part)}: ${textOf(item?.before) || "not set"} → ${textOf(item?.after) || "not set"}  ${(Number(item?.change) * 100).toFixed(1)} % ${textOf(item?.metric)} (${Number(item?.pairs)} pairs)`)),
    ...listOf("Failed", failuresOf()),
  );
}

function failuresOf() {
  const counts = new Map();
  for (const row of results.rows) if (row.reason && row.status !== "success") counts.set(row.reason, (counts.get(row.reason) || 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1]).slice(0, 50).map(([reason, count]) => `${count}x  ${reason}`);
}

function listOf(title, lines) {
  return lines.length ? [el("h2", {}, title), el("ul", {}, ...lines.map((line) => el("li", {}, line)))] : [];
}

function cellOf(item) {
  if (!item) return el("td", { class: "n" }, "–");
  const spread = item.count > 1 && item.mean ? ` ±${(((item.high - item.low) / 2 / Math.abs(item.mean)) * 100).toFixed(1)} %` : "";
  return el("td", { class: "n" }, grouped.format(item.mean), spread ? el("span", { class: "soft" }, spread) : null);
}

function tableOf(rows, on) {
  const heads = ["launch", ...results.metrics, "limits", "front"];
  const body = rows.slice(0, SHOWN_ROWS).map((row) => el("tr", {},
    el("td", {}, el("code", {}, row.label.replaceAll("+", " "))), ...results.metrics.map((name) => cellOf(row.metrics[name])),
    el("td", { class: row.admissible ? "good" : "bad" }, row.broken.length ? `${row.admissible ? "↓" : "✗"} ${row.broken.join(", ")}` : "✓"),
    el("td", {}, on.has(row) ? "nothing beats it" : "")));
  const more = rows.length > SHOWN_ROWS ? el("p", { class: "soft" }, `and ${rows.length - SHOWN_ROWS} more, all of them in the picture`) : "";
  return el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Measured" },
    el("table", { id: "table" }, el("thead", {}, el("tr", {}, ...heads.map((head) => el("th", { scope: "col" }, head)))), el("tbody", {}, ...body)), more);
}
