"use strict";
// Draws what a page's data hold, when it is looked at, and sorts its tables. Nothing here reaches outside of the file.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const byId = (id) => document.getElementById(id);
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const charts = new Map();

  // Elements are made by text alone, so nothing that a journal holds can become markup.
  function element(name, attributes, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes || {})) if (value !== null) made.setAttribute(key, value);
    made.append(...children);
    return made;
  }

  // The same words in every language: no locale of the browser is asked.
  function clock(seconds, withSeconds = true) {
    const whole = Math.floor(seconds), pad = (n) => String(n).padStart(2, "0");
    const text = pad(Math.floor(whole / 3600)) + ":" + pad(Math.floor(whole / 60) % 60);
    return withSeconds ? text + ":" + pad(whole % 60) : text;
  }
  function grouped(value, digits) {
    const [whole, rest] = Math.abs(value).toFixed(digits).split(".");
    const sign = value < 0 && Number(value.toFixed(digits)) !== 0 ? "−" : "";
    return sign + whole.replace(/\B(?=(\d{3})+$)/g, ",") + (rest ? "." + rest : "");
  }
  const price = (value) => value === null ? "–" : grouped(value, Math.abs(value * 100 - Math.round(value * 100)) < 1e-6 ? 2 : 4);
  const dollars = (value) => value === null ? "–" : (value < 0 ? "−$" : "$") + grouped(Math.abs(value), 2);

  // Sorting: what is not known stands last, whichever way.
  function compare(one, other) {
    if (one === other) return 0;
    const first = Number(one), second = Number(other);
    return Number.isFinite(first) && Number.isFinite(second) ? first - second : one < other ? -1 : 1;
  }
  function key(row, column) {
    const cell = row.cells[column];
    return cell.dataset.order ?? cell.textContent;
  }
  function sort(table, column, heading) {
    const descending = heading.getAttribute("aria-sort") === "ascending";
    for (const each of table.querySelectorAll("th")) each.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", descending ? "descending" : "ascending");
    const body = table.tBodies[0];
    const rows = [...body.rows].filter((row) => !row.classList.contains("story"));
    const story = new Map(rows.map((row) => [row, row.nextElementSibling?.classList.contains("story") ? row.nextElementSibling : null]));
    const known = rows.filter((row) => key(row, column) !== ""), unknown = rows.filter((row) => key(row, column) === "");
    known.sort((a, b) => (descending ? -1 : 1) * compare(key(a, column), key(b, column)));
    body.append(...[...known, ...unknown].flatMap((row) => story.get(row) ? [row, story.get(row)] : [row]));
  }
  for (const button of document.querySelectorAll(".sortable th button"))
    button.addEventListener("click", () => sort(button.closest("table"), Number(button.dataset.column), button.closest("th")));

  byId("find")?.addEventListener("input", (event) => {
    const wanted = event.target.value.trim().toUpperCase();
    let shown = true;
    for (const row of byId("order-table").tBodies[0].rows) {
      if (!row.classList.contains("story")) shown = row.cells[0].dataset.order.toUpperCase().includes(wanted);
      row.hidden = !shown;
    }
  });

  // Seconds between the times on an axis.
  const wholeTimes = [1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600, 7200];

  // One chart: series by uPlot, a tip beside the pointer or, with the arrow keys, beside the point that they chose.
  function draw(place, xs, series, bands, words, range) {
    charts.get(place)?.();
    place.replaceChildren();
    const axis = { stroke: colour("quiet"), grid: { stroke: colour("grid"), width: 1 }, ticks: { stroke: colour("grid"), width: 1 } };
    const tip = element("div", { class: "tip", hidden: "" });
    const step = uPlot.paths.stepped({ align: 1 });
    let last = -1;
    const plot = new uPlot({
      width: Math.max(200, place.clientWidth), height: 260, legend: { show: false }, padding: [10, 22, 0, 0],
      scales: { x: { time: false, range: (_, low, high) => [low - (high - low || 60) * 0.01, high + (high - low || 60) * 0.015] }, y: { range: () => range } },
      axes: [
        { ...axis, ...(words.at ? {} : { incrs: wholeTimes }), values: (_, ticks) => ticks.map(words.at || ((t) => clock(t, xs.at(-1) - xs[0] < 1200))), space: 70, size: 34 },
        { ...axis, values: (_, ticks) => ticks.map(words.axis), size: words.size || 64 },
      ],
      series: [{}, ...series.map((each) => ({
        stroke: each.colour, width: each.dots ? 0 : each.width || 1, dash: each.dash, spanGaps: false,
        paths: each.dots ? () => null : step,
        points: { show: !!each.dots, size: 9, fill: each.colour, stroke: colour("back"), width: 1.5 },
      }))],
      bands: bands,
      cursor: { drag: { x: false, y: false }, points: { size: 6 }, y: false },
      hooks: { setCursor: [(u) => {
        const at = u.cursor.idx;
        if (at === null || at === undefined || u.cursor.left < 0) { tip.hidden = true; return; }
        if (at !== last) tip.replaceChildren(...words.tip(at).map((line, n) => element(n ? "span" : "b", {}, line, n ? document.createElement("br") : "")));
        last = at; tip.hidden = false;
        const left = u.valToPos(xs[at], "x") + u.bbox.left / devicePixelRatio, room = place.clientWidth;
        tip.style.top = "12px";
        tip.style.left = Math.max(0, left + 14 + tip.offsetWidth > room ? Math.min(left, room) - tip.offsetWidth - 14 : left + 14) + "px";
      }] },
    }, [xs, ...series.map((each) => each.values)], place);
    place.append(tip);
    let chosen = -1;
    const onKey = (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      chosen = Math.min(xs.length - 1, Math.max(0, chosen + step));
      plot.setCursor({ left: plot.valToPos(xs[chosen], "x"), top: 20 });
    };
    const onBlur = () => { tip.hidden = true; };
    place.addEventListener("keydown", onKey);
    place.addEventListener("blur", onBlur);
    charts.set(place, () => { plot.destroy(); place.removeEventListener("keydown", onKey); place.removeEventListener("blur", onBlur); });
  }
  const redraws = new Map();
  function picture(place, make) {
    place.classList.remove("wait");
    place.setAttribute("tabindex", "0");
    place.setAttribute("role", "group");
    redraws.set(place, make);
    make();
  }
  function redrawAll() {
    for (const [place, make] of redraws) if (place.isConnected) make(); else { charts.get(place)?.(); charts.delete(place); redraws.delete(place); }
  }
  dark.addEventListener("change", redrawAll);
  let width = innerWidth, pending = 0;
  addEventListener("resize", () => {
    if (innerWidth === width) return;
    width = innerWidth; clearTimeout(pending); pending = setTimeout(redrawAll, 120);
  });

  function legend(...entries) {
    return element("ul", { class: "legend" }, ...entries.map(([kind, name, text]) => {
      const sign = element("i", { class: kind });
      sign.style[kind === "dot" || kind === "area" ? "background" : "borderColor"] = `var(--${name})`;
      return element("li", {}, sign, text);
    }));
  }

  // An order's story: [seconds, bid, ask, our price, verb, detail, reason, times]; the texts are numbers in data.words.
  const word = (look, n) => data.words[look[n]];
  const act = (look) => word(look, 4).replace("_", " ");
  function course(order) {
    const events = order.looks.map((look) => ({ at: look[0], look }));
    for (const fill of order.fills) events.push({ at: fill[0], fill });
    events.sort((a, b) => a.at - b.at);
    let bid = null, ask = null, ours = null, seen = -Infinity;
    return events.map((event) => {
      // A book that was not looked at again is not known to have stayed as it was.
      if (event.at - seen > 60) [bid, ask] = [null, null];
      if (event.look) {
        const verb = word(event.look, 4);
        if (event.look[1] !== null || event.look[2] !== null) [bid, ask, seen] = [event.look[1], event.look[2], event.at];
        if (["hold", "place", "move", "cross", "finish", "accept"].includes(verb)) ours = verb === "finish" ? null : event.look[3];
      }
      return { ...event, bid, ask, ours };
    });
  }
  function within(points, order) {
    // A book far wider than usual, such as one with a stub bid dollars away, would flatten everything else: its sides may leave the picture,
    // and so may the outermost twentieth of all others.
    const spread = (p) => p.bid === null || p.ask === null ? null : p.ask - p.bid;
    const spreads = points.map(spread).filter((v) => v !== null).sort((a, b) => a - b), wide = 8 * spreads[Math.floor(spreads.length / 2)] || Infinity;
    const books = points.filter((p) => spread(p) === null || spread(p) <= wide).flatMap((p) => [p.bid, p.ask]).filter((v) => v !== null).sort((a, b) => a - b);
    const cut = Math.floor(books.length / 20);
    const must = [...points.map((p) => p.ours), ...order.fills.map((f) => f[2]), order.arrival].filter((v) => v !== null);
    const all = [...books.slice(cut, books.length - cut), ...must];
    if (!all.length) return [0, 1];
    const low = Math.min(...all), high = Math.max(...all), room = (high - low || Math.abs(high) * 0.001 || 1) * 0.1;
    return [low - room, high + room];
  }
  function drawOrder(place, order) {
    const points = course(order), xs = points.map((p) => p.at), same = (v) => xs.map(() => v);
    const range = within(points, order);
    place.setAttribute("aria-description", `Prices from ${price(range[0])} to ${price(range[1])}`);
    const collarSeen = order.collar !== null && order.collar > range[0] && order.collar < range[1];
    const tip = (n) => {
      const p = points[n];
      const book = p.bid === null && p.ask === null ? [] : [`bid ${price(p.bid)} × ask ${price(p.ask)}`];
      const ours = p.ours === null ? [] : [`our price ${price(p.ours)}`];
      if (p.fill) return [`${clock(p.at)}  filled ${p.fill[1]} @ ${price(p.fill[2])}`, ...book];
      const times = p.look[7] ? `, ${p.look[7]} times` : "";
      return [`${clock(p.at)}  ${act(p.look)} ${word(p.look, 5)}${times}`, ...book, ...ours, word(p.look, 6)].filter(Boolean);
    };
    draw(place, xs, [
      { values: points.map((p) => p.ask), colour: colour("book") },
      { values: points.map((p) => p.bid), colour: colour("book") },
      { values: same(order.arrival), colour: colour("arrival"), dash: [2, 4], width: 1.5 },
      { values: same(collarSeen ? order.collar : null), colour: colour("bad"), dash: [8, 4], width: 1.5 },
      { values: points.map((p) => p.ours), colour: colour("ours"), width: 2.5 },
      { values: points.map((p) => p.fill ? p.fill[2] : null), colour: colour("fill"), dots: true },
    ], [{ series: [1, 2], fill: colour("band") }], { tip, axis: price }, range);
  }
  function storyTable(order) {
    const rows = course(order).map((p) => {
      const cells = p.fill
        ? [clock(p.at), "filled", `${p.fill[1]} @ ${price(p.fill[2])}`, price(p.bid), price(p.ask), ""]
        : [clock(p.at), act(p.look), word(p.look, 5), price(p.look[1]), price(p.look[2]), word(p.look, 6) + (p.look[7] ? ` (${p.look[7]} times)` : "")];
      return element("tr", {}, ...cells.map((text, n) => element("td", n === 3 || n === 4 ? { class: "number" } : {}, text)));
    });
    const heads = ["time", "act", "detail", "bid", "ask", "reason"];
    const made = element("table", {}, element("caption", {}, `Every decision on ${order.symbol}`),
      element("thead", {}, element("tr", {}, ...heads.map((text, n) => element("th", { scope: "col", class: n === 3 || n === 4 ? "number" : null }, text)))),
      element("tbody", {}, ...rows));
    return element("div", { class: "scroll long", tabindex: "0", role: "region", "aria-label": `Decisions on ${order.symbol}` }, made);
  }
  function lazily(title, make) {
    const made = element("details", {}, element("summary", {}, title));
    made.addEventListener("toggle", () => { if (made.open && made.childElementCount === 1) made.append(make()); });
    return made;
  }
  function story(row, order) {
    const inside = element("div", { class: "inside" });
    const facts = element("dl", { class: "facts" });
    [...row.cells].forEach((cell, n) => {
      if (getComputedStyle(cell).display !== "none" && n < 12) return;
      facts.append(element("div", {}, element("dt", {}, row.closest("table").tHead.rows[0].cells[n].textContent), element("dd", {}, cell.textContent)));
    });
    if (order.collar !== null) facts.append(element("div", {}, element("dt", {}, "collar"), element("dd", {}, price(order.collar))));
    const place = element("div", { class: "picture", "aria-label": `${order.side} ${order.symbol}: book, our price and fills over time. Left and right arrow keys go through it; the table below has all of it.` });
    inside.append(facts);
    if (order.looks.length + order.fills.length > 1) inside.append(
      legend(["area", "band", "bid to ask"], ["", "ours", "our price"], ["dot", "fill", "fill"], ["dash", "arrival", "arrival mid"], ["dash", "bad", "collar, where within reach"]), place);
    else inside.append(element("p", { class: "quiet" }, "The journal has too little of this order for a picture."));
    if (order.left_out) inside.append(element("p", { class: "quiet" }, `${order.left_out} of its looks are left out of the picture and the table; the journal has all.`));
    inside.append(lazily(`Table of ${order.looks.length + order.fills.length} decisions and fills`, () => storyTable(order)));
    const made = element("tr", { class: "story" }, element("td", { colspan: "13" }, inside));
    row.after(made);
    inside.style.width = Math.min(made.offsetWidth, made.closest(".scroll").clientWidth) - 20 + "px";
    if (place.isConnected) picture(place, () => {
      inside.style.width = made.closest(".scroll").clientWidth - 20 + "px";
      drawOrder(place, order);
    });
  }
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("button.open");
    if (!button) return;
    const row = button.closest("tr"), isOpen = button.getAttribute("aria-expanded") === "true";
    button.setAttribute("aria-expanded", String(!isOpen));
    if (isOpen) { row.nextElementSibling.remove(); redrawAll(); } else story(row, data.orders[Number(button.dataset.orderIndex)]);
  });

  // Dollars over time: [seconds, symbol, side, shares, price, dollars, received, spent], and [seconds, cash, asking, waiting].
  function drawMoney(place) {
    const events = [...data.payments.map((p) => ({ at: p[0], paid: p })), ...data.releases.map((r) => ({ at: r[0], cash: r }))];
    events.sort((a, b) => a.at - b.at);
    let received = 0, spent = 0, cash = null;
    const points = events.map((event) => {
      if (event.paid) [received, spent] = [event.paid[6], event.paid[7]];
      if (event.cash) cash = event.cash[1];
      return { ...event, received, spent, cash };
    });
    const values = points.flatMap((p) => [p.received, p.spent, p.cash]).filter((v) => v !== null);
    const low = Math.min(0, ...values), high = Math.max(1, ...values), room = (high - low) * 0.06;
    const tip = (n) => {
      const p = points[n];
      const head = p.paid ? `${clock(p.at)}  ${p.paid[2]} ${p.paid[3]} ${p.paid[1]} @ ${price(p.paid[4])}`
        : `${clock(p.at)}  cash for buys ${dollars(p.cash)}`;
      return [head, `from sells ${dollars(p.received)}`, `for buys ${dollars(p.spent)}`];
    };
    draw(place, points.map((p) => p.at), [
      { values: points.map((p) => p.received), colour: colour("sell"), width: 2.5 },
      { values: points.map((p) => p.spent), colour: colour("buy"), width: 2.5 },
      { values: points.map((p) => p.cash), colour: colour("quiet"), dash: [5, 4], width: 1.5 },
    ], [], { tip, axis: (v) => (v < 0 ? "−$" : "$") + grouped(Math.abs(v), 0), size: 76 }, [low - room, high + room]);
  }
  function whenSeen(place, act) {
    const watcher = new IntersectionObserver((seen) => {
      if (!seen.some((each) => each.isIntersecting)) return;
      watcher.disconnect();
      act();
    }, { rootMargin: "200px" });
    watcher.observe(place);
  }
  const money = byId("money");
  if (money) whenSeen(money, () => {
    money.before(legend(["", "sell", "received from sells"], ["", "buy", "spent on buys"], ["dash", "quiet", "cash that buys were decided on"]));
    money.setAttribute("aria-label", "Dollars from sells and for buys over time. Left and right arrow keys go through it; the tables below have all of it.");
    picture(money, () => drawMoney(money));
  });
  byId("payments-table")?.addEventListener("toggle", () => {
    const place = byId("payments");
    if (place.childElementCount) return;
    const heads = ["time", "symbol", "side", "shares", "price", "dollars", "from sells", "for buys"];
    place.classList.add("long");
    place.append(element("table", {}, element("caption", {}, "Fills in the order of time"),
      element("thead", {}, element("tr", {}, ...heads.map((text, n) => element("th", { scope: "col", class: n > 2 ? "number" : null }, text)))),
      element("tbody", {}, ...data.payments.map((p) => element("tr", {}, ...[clock(p[0]), p[1], p[2], p[3], price(p[4]), dollars(p[5]), dollars(p[6]), dollars(p[7])]
        .map((text, n) => element("td", n > 2 ? { class: "number" } : {}, text)))))));
  });

  // The savings of all runs: [day, dollars, low, high, runs].
  const saved = byId("savings");
  if (saved) whenSeen(saved, () => {
    const days = data.saved, values = days.flatMap((d) => [0, d[1], d[2], d[3]]).filter((v) => v !== null);
    const low = Math.min(...values), high = Math.max(...values), room = (high - low || 1) * 0.06;
    saved.before(legend(["", "ours", "saved against market orders"], ["area", "band", "95 % confidence"], ["dash", "quiet", "nothing saved"]));
    saved.setAttribute("aria-label", "Dollars saved so far, by day. Left and right arrow keys go through it; the table below has all of it.");
    const tip = (n) => [`${days[n][0]}  ${dollars(days[n][1])}`, days[n][2] === null ? "too few runs for an interval" : `95 % ${dollars(days[n][2])} to ${dollars(days[n][3])}`, `${days[n][4]} runs`];
    picture(saved, () => draw(saved, days.map((_, n) => n), [
      { values: days.map((d) => d[3]), colour: "transparent" },
      { values: days.map((d) => d[2]), colour: "transparent" },
      { values: days.map(() => 0), colour: colour("quiet"), dash: [5, 4] },
      { values: days.map((d) => d[1]), colour: colour("ours"), width: 2.5 },
      { values: days.map((d) => d[1]), colour: colour("ours"), dots: true },
    ], [{ series: [1, 2], fill: colour("band") }], {
      tip, axis: (v) => (v < 0 ? "−$" : "$") + grouped(Math.abs(v), 0), size: 76,
      at: (n) => Number.isInteger(n) && days[n] ? days[n][0].slice(5) : "",
    }, [low - room, high + room]));
  });
})();
