// The picture of results: two metrics, what nothing beats, and the spread of its repetitions.
const betterOf = (name, one, two) => (isLess(name) ? one < two : one > two);

function frontOf(rows, up, across) {
  const sign = (name) => (isLess(name) ? 1 : -1);
  const sorted = [...rows].sort((a, b) => sign(up) * (a.y.mean - b.y.mean) || sign(across) * (a.x.mean - b.x.mean));
  const front = [];
  for (const row of sorted) if (!front.length || betterOf(across, row.x.mean, front.at(-1).x.mean)) front.push(row);
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

const limitsOf = (up, across) => results.limits.filter((one) => one.metric === up || one.metric === across);

// The side of a limit that the task does not want, as far as the picture goes.
function beyondOf({ metric, most, bound }, across, x, y, [left, top, right, floor]) {
  const [scale, low, high] = metric === across ? [x, left, right] : [y, floor, top];
  const at = Math.min(Math.max(scale.at(bound), Math.min(low, high)), Math.max(low, high));
  const end = most ? high : low;
  const [from, size] = [Math.min(at, end), Math.abs(end - at)];
  if (size < 1) return [];
  const area = metric === across ? { x: from, y: top, width: size, height: floor - top } : { x: left, y: from, width: right - left, height: size };
  const line = metric === across ? `M${at} ${top}V${floor}` : `M${left} ${at}H${right}`;
  return [drawn("rect", { class: "beyond", fill: "url(#hatch)", ...area }), drawn("path", { class: "limit", d: line }, drawn("title", {}, `limit of ${metric}: ${grouped.format(bound)}`))];
}

function pictureOf(points, front, up, across) {
  const [width, height, left, bottom, margin] = innerWidth < 600 ? [380, 300, 56, 46, 16] : [720, 360, 76, 48, 16];
  const x = scaleOf(points.map((point) => point.x.mean), left, width - margin);
  const y = scaleOf(points.map((point) => point.y.mean), height - bottom, margin + 14);
  const place = (point) => `${x.at(point.x.mean).toFixed(1)} ${y.at(point.y.mean).toFixed(1)}`;
  const spread = ({ x: a, y: b }) => `M${x.at(a.mean)} ${y.at(b.low)}V${y.at(b.high)}M${x.at(a.low)} ${y.at(b.mean)}H${x.at(a.high)}`;
  const measured = front.filter((point) => point.x.count > 1 && [point.x, point.y].every((item) => Number.isFinite(item.low) && Number.isFinite(item.high)));
  const say = (text, at) => drawn("text", at, text);
  const best = points.find((point) => point.row.index === results.best);
  const hatch = drawn("pattern", { id: "hatch", width: 8, height: 8, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" }, drawn("path", { class: "hatch", d: "M0 0V8" }));
  return drawn("svg", { class: "plot", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `${up} against ${across}; the table below holds the numbers` },
    drawn("defs", {}, hatch),
    ...limitsOf(up, across).flatMap((limit) => beyondOf(limit, across, x, y, [left, margin + 14, width - margin, height - bottom])),
    ...x.ticks.map((value) => drawn("path", { class: "grid", d: `M${x.at(value)} ${margin + 14}V${height - bottom}` })),
    ...y.ticks.map((value) => drawn("path", { class: "grid", d: `M${left} ${y.at(value)}H${width - margin}` })),
    ...x.ticks.map((value) => say(grouped.format(value), { x: x.at(value), y: height - bottom + 18, "text-anchor": "middle" })),
    ...y.ticks.map((value) => say(grouped.format(value), { x: left - 8, y: y.at(value) + 4, "text-anchor": "end" })),
    say(`${across}, ${isLess(across) ? "less" : "more"} is better`, { x: width - margin, y: height - 8, "text-anchor": "end" }),
    say(`${up}, ${isLess(up) ? "less" : "more"} is better`, { x: 4, y: 12 }),
    drawn("path", { class: "dots", d: points.map((point) => `M${place(point)}h0`).join("") }),
    drawn("path", { class: "front", d: `M${front.map(place).join("L")}` }),
    drawn("path", { class: "spread", d: measured.map(spread).join("") }),
    ...front.flatMap((point, number) => [
      drawn("circle", { class: "on", r: 9, cx: x.at(point.x.mean), cy: y.at(point.y.mean) }, drawn("title", {}, point.row.label)),
      say(String(number + 1), { class: "nr", x: x.at(point.x.mean), y: y.at(point.y.mean) + 4 }),
    ]),
    ...(best ? [drawn("circle", { class: "best", r: 13, cx: x.at(best.x.mean), cy: y.at(best.y.mean) }),
      say("best", { class: "besttext", x: x.at(best.x.mean), y: y.at(best.y.mean) - 18, "text-anchor": "middle" })] : []));
}
