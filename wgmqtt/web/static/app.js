// The status page. Everything that comes from the network becomes text (textContent), never markup.
"use strict";

const PATHS = {
  direct: { name: "direct", means: "both ends reach each other directly" },
  trying: { name: "trying", means: "a direct path is being tried" },
  hub: { name: "through the hub", means: "no direct path; the hub reaches both ends" },
  down: { name: "down", means: "an end has no session with the hub" },
  unknown: { name: "unknown", means: "no report yet" },
};
const WORST_FIRST = ["down", "hub", "trying", "unknown", "direct"];
const ROUTER_STATES = {
  ok: { name: "works", looks: "direct" },
  trouble: { name: "in trouble", looks: "trying" },
  silent: { name: "silent", looks: "down" },
  never: { name: "never seen", looks: "unknown" },
};
const STAGES = [["published", "published"], ["applied", "applied"], ["proven", "direct"]];
const ROWS = 100;
const RING_MAX = 260; // more routers are drawn as a mosaic: their names would not be readable on a ring
const STALE_S = 180;
const SVG = "http://www.w3.org/2000/svg";
const NUMBER = new Intl.NumberFormat("en");
const COLLATOR = new Intl.Collator("en", { numeric: true });

const page = {
  data: null, routers: new Map(), linksOf: new Map(), moves: new Map(),
  selected: "", table: "routers", filter: "", search: "", rows: ROWS, skewMs: 0, isLost: false, instance: "",
  sort: { routers: { key: "name", up: true }, links: { key: "path", up: true } },
};
const at = (id) => document.getElementById(id);

// Elements

function element(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

function drawn(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

function fill(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name, value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

// Keeps the elements of items that are still there, so that focus, selection and scrolling survive an update.
function reconcile(parent, items, keyOf, make, update) {
  const old = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  let before = parent.firstElementChild;
  for (const item of items) {
    const key = keyOf(item);
    let child = old.get(key);
    old.delete(key);
    if (!child) {
      child = make(item);
      child.dataset.key = key;
    }
    update(child, item);
    if (child === before) before = before.nextElementSibling;
    else parent.insertBefore(child, before);
  }
  for (const child of old.values()) child.remove();
}

function setText(where, text) {
  if (where.textContent !== text) where.textContent = text;
}

// Each state has a shape of its own, so that no meaning rests on colour alone.
function glyph(path) {
  const shapes = {
    direct: [drawn("circle", { cx: 7, cy: 7, r: 6, class: "fill" })],
    trying: [drawn("circle", { cx: 7, cy: 7, r: 5, "stroke-dasharray": "2.6 2.6" })],
    hub: [drawn("path", { d: "M7 0.5 13.5 7 7 13.5 0.5 7Z" })],
    down: [drawn("path", { d: "M2 2 12 12M12 2 2 12" })],
    unknown: [drawn("circle", { cx: 7, cy: 7, r: 5 })],
  };
  return drawn("svg", { class: `glyph ${path}`, viewBox: "0 0 14 14", "aria-hidden": "true" }, ...shapes[path]);
}

function nameButton(name) {
  return element("button", { type: "button", class: "name", click: () => select(name, true) }, bidi(name));
}

function bidi(text) {
  return element("bdi", {}, text);
}

// Times

const nowS = () => (Date.now() + page.skewMs) / 1000;

function span(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  for (const [unit, length] of [["d", 86400], ["h", 3600], ["min", 60]]) {
    if (whole >= 2 * length) return `${Math.floor(whole / length)} ${unit}`;
  }
  return `${whole} s`;
}

function age(atS, never = "never") {
  const made = element("time", {});
  made.dataset.at = atS ?? "";
  made.dataset.never = never;
  showAge(made);
  return made;
}

function showAge(time) {
  const seconds = time.dataset.at;
  setText(time, seconds === "" ? time.dataset.never : `${span(nowS() - Number(seconds))} ago`);
}

function milliseconds(value) {
  if (value === null) return "–";
  if (value >= 10000) return `${(value / 1000).toFixed(1)} s`;
  return value >= 100 ? `${NUMBER.format(Math.round(value))} ms` : `${Number(value.toFixed(1))} ms`;
}

const clock = (seconds) => new Date(seconds * 1000).toLocaleTimeString("en-GB");
const plural = (count, word) => `${NUMBER.format(count)} ${word}${count === 1 ? "" : "s"}`;

// Data

function take(data) {
  const links = data.known ? data.links : [];
  const routers = data.known ? data.routers : [];
  routers.sort((one, other) => COLLATOR.compare(one.name, other.name));
  page.data = { ...data, links, routers };
  page.routers = new Map(routers.map((router) => [router.name, router]));
  page.linksOf = new Map(routers.map((router) => [router.name, []]));
  for (const link of links) {
    page.linksOf.get(link.first)?.push(link);
    page.linksOf.get(link.second)?.push(link);
  }
  for (const router of routers) {
    const paths = new Set(page.linksOf.get(router.name).map((link) => link.path));
    router.worst = WORST_FIRST.find((path) => paths.has(path)) ?? "";
    router.direct = page.linksOf.get(router.name).filter((link) => link.path === "direct").length;
  }
  if (page.instance !== data.instance) page.moves.clear(); // another process numbers anew
  page.instance = data.instance;
  for (const move of data.moves) takeMove(move);
  if (!page.routers.has(page.selected)) page.selected = "";
}

// A move may arrive by an event before the snapshot that is older than that event.
function takeMove(move) {
  const ends = (each) => STAGES.reduce((sum, [stage]) => sum + each.stages[stage][0], 0);
  const known = page.moves.get(move.number);
  if (!known || ends(known) <= ends(move)) page.moves.set(move.number, move);
}

function render() {
  if (!page.data) return;
  renderHead();
  renderSummary();
  renderMap();
  renderDetail();
  renderWrong();
  renderMoves();
  renderTable();
}

function tally(paths) {
  const counts = Object.fromEntries(Object.keys(PATHS).map((path) => [path, 0]));
  for (const path of paths) counts[path] += 1;
  return counts;
}

// Head and summary

function problems() {
  const { data } = page;
  const found = [];
  if (page.isLost) found.push(["bad", "This page lost its connection to wgmqtt web. It retries; everything below is as it was."]);
  else if (!data.broker.connected) {
    found.push(["bad", `No connection to the broker since ${clock(data.broker.since_s)}: ${data.broker.reason || "connecting"}. Everything below is as it was.`]);
  } else if (data.online === false) {
    found.push(["bad", "The hub's daemon is not running. Routers keep their endpoints; everything below is as it was."]);
  }
  if (data.frozen) found.push(["", "Publishing is frozen: moves are detected, but no table is published. To resume: wgmqtt unfreeze"]);
  if (data.trouble) found.push(["bad", `The hub: ${data.trouble}`]);
  if (data.hints === "unavailable") found.push(["", "The kernel's hints are unavailable: a move is detected at the next poll. The daemon's log says why."]);
  return found;
}

function renderHead() {
  const { data } = page;
  setText(at("hub"), data.hub);
  reconcile(at("banners"), problems(), ([, text]) => text, ([kind, text]) => element("p", { class: `banner ${kind}` }, text), () => {});
  const bad = data.routers.filter((router) => router.state !== "ok").length;
  const counts = tally(data.links.map((link) => link.path));
  const notDirect = data.links.length - counts.direct;
  let text = "Nothing was published by the hub yet.";
  if (data.known) {
    const parts = [];
    if (bad) parts.push(`${plural(bad, "router")} in trouble`);
    if (notDirect) parts.push(`${plural(notDirect, "link")} not direct`);
    text = parts.length ? `${parts.join(", ")}.` : data.links.length === 1 ? "The only link is direct." : `All ${NUMBER.format(data.links.length)} links are direct.`;
    if (!data.links.length && !bad) text = "No links are configured.";
  }
  setText(at("headline"), text);
  document.title = `${bad + notDirect ? `(${bad + notDirect}) ` : ""}${data.hub} – wgmqtt`;
  setText(at("versions"), `wgmqtt web ${data.page_version}${data.known ? `, hub ${data.version}` : ""}`);
  renderNews();
}

function renderNews() {
  const { data } = page;
  if (!data?.known) return;
  const seconds = nowS() - data.at_s;
  const isLost = page.isLost || !data.broker.connected || data.online === false;
  const isOld = seconds > STALE_S + data.links.length / 50 + data.routers.length / 50;
  at("pulse").className = `pulse ${isLost ? "lost" : isOld ? "old" : "fresh"}`;
  setText(at("news"), `hub's status of ${span(seconds)} ago`);
}

function renderSummary() {
  const { routers, links } = page.data;
  setText(at("routers-ok"), NUMBER.format(routers.filter((router) => router.state === "ok").length));
  setText(at("routers-of"), ` of ${NUMBER.format(routers.length)}`);
  const counts = tally(links.map((link) => link.path));
  const shown = Object.keys(PATHS).filter((path) => counts[path]);
  reconcile(at("bar"), shown, (path) => path, (path) => element("span", { class: path }), (child, path) => {
    child.style.flexGrow = String(counts[path]);
  });
  reconcile(at("legend"), Object.keys(PATHS), (path) => path, (path) => element(
    "button", { type: "button", class: "chip", title: PATHS[path].means, click: () => filterLinks(path) },
    glyph(path), element("span", {}, PATHS[path].name), element("b", {}),
  ), (chip, path) => {
    chip.classList.toggle("zero", !counts[path]);
    chip.setAttribute("aria-pressed", String(page.table === "links" && page.filter === path));
    setText(chip.lastChild, NUMBER.format(counts[path]));
  });
}

// Map

let layout = { key: "", nodes: new Map(), svg: null };

function renderMap() {
  const { routers } = page.data;
  const area = at("map");
  const width = area.clientWidth;
  const height = area.clientHeight;
  if (!width || !height) return;
  const key = `${width} ${height} ${routers.map((router) => router.name).join(" ")}`;
  if (key !== layout.key) {
    const focused = document.activeElement?.dataset?.router;
    layout = routers.length > RING_MAX ? mosaic(routers, width, height) : ring(routers, width, height);
    layout.key = key;
    area.replaceChildren(layout.svg);
    at("map-legend").hidden = layout.kind !== "cell";
    if (focused) layout.nodes.get(focused)?.shape.focus({ preventScroll: true });
  }
  drawLinks();
  const near = new Set((page.linksOf.get(page.selected) ?? []).map((link) => farEnd(link, page.selected)));
  const tabStop = page.selected || routers[0]?.name;
  layout.svg.classList.toggle("picked", page.selected !== "");
  for (const router of routers) {
    const { shape } = layout.nodes.get(router.name);
    shape.setAttribute("class", `${layout.kind} ${looks(router)} ${router.state === "ok" ? "ok" : "bad"}`
      + (router.name === page.selected ? " selected" : "") + (near.has(router.name) ? " near" : "")
      + (layout.kind === "cell" && cellLooks(router) === "direct" ? " calm-cell" : "")
      + (isMoving(router.name) ? " moved" : ""));
    shape.setAttribute("aria-label", summaryOf(router));
    shape.setAttribute("aria-pressed", String(router.name === page.selected));
    if (!area.contains(document.activeElement)) shape.setAttribute("tabindex", router.name === tabStop ? "0" : "-1");
  }
}

const looks = (router) => (layout.kind === "cell" ? cellLooks(router) : ROUTER_STATES[router.state].looks);

// A square shows the router's state; of a router that works, its worst link, if most of its links are not direct.
function cellLooks(router) {
  if (router.state !== "ok") return ROUTER_STATES[router.state].looks;
  return router.direct * 2 >= page.linksOf.get(router.name).length ? "direct" : router.worst;
}

const farEnd = (link, name) => (link.first === name ? link.second : link.first);
const isMoving = (name) => [...page.moves.values()].some((move) => move.router === name && nowS() - move.at_s < 3);

function summaryOf(router) {
  const count = page.linksOf.get(router.name).length;
  const links = count ? `, ${router.direct} of ${plural(count, "link")} direct` : "";
  return `${router.name}: ${ROUTER_STATES[router.state].name}${links}${router.trouble ? `; ${router.trouble}` : ""}`;
}

function ring(routers, width, height) {
  const count = routers.length;
  const longest = Math.max(0, ...routers.map((router) => router.name.length));
  const isMany = count > 40;
  const room = Math.min(longest * (isMany ? 5.6 : 7.6) + 22, Math.min(width, height) * 0.3);
  const around = (radius) => (Math.PI * (radius[0] + radius[1])) / Math.max(1, count);
  let radius = [Math.max(60, width / 2 - room), Math.max(60, height / 2 - (isMany ? room : 34))];
  // Where not every name has room, only those of routers in trouble are shown, and the ring takes the space.
  const isCrowded = isMany && around(radius) < 10;
  if (isCrowded) radius = [Math.max(60, width / 2 - room), Math.max(60, height / 2 - 26)];
  if (isCrowded) radius = [Math.min(radius[0], radius[1] * 1.35), Math.min(radius[1], radius[0] * 1.35)];
  const spacing = around(radius);
  const center = [width / 2, height / 2];
  const size = Math.max(2.6, Math.min(8, spacing / 2.8));
  const svg = mapSvg(width, height, `mesh${isMany ? " many" : ""}${isCrowded ? " crowded" : ""}`);
  const nodes = new Map();
  const layer = drawn("g", {});
  routers.forEach((router, index) => {
    const angle = (2 * Math.PI * index) / count - Math.PI / 2;
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
    const [x, y] = [center[0] + radius[0] * cos, center[1] + radius[1] * sin];
    const isLeft = cos < -0.01;
    const gap = size + 7;
    const label = isMany && !isCrowded
      ? drawn("text", {
        x: isLeft ? -gap : gap, y: 0, "text-anchor": isLeft ? "end" : "start",
        transform: `rotate(${(angle * 180) / Math.PI + (isLeft ? 180 : 0)})`,
      })
      : drawn("text", {
        x: Math.abs(cos) < 0.2 ? 0 : (isLeft ? -gap : gap), y: Math.abs(cos) < 0.2 ? Math.sign(sin) * (gap + 6) : 0,
        "text-anchor": Math.abs(cos) < 0.2 ? "middle" : isLeft ? "end" : "start",
      });
    label.textContent = clip(router.name, isMany ? 18 : 24);
    const shape = drawn("g", { transform: `translate(${x.toFixed(1)} ${y.toFixed(1)})` },
      drawn("circle", { class: "ring", r: size + 4 }), drawn("circle", { class: "dot", r: size }), label);
    layer.append(asNode(shape, router.name));
    nodes.set(router.name, { shape, x, y });
  });
  const links = drawn("g", { class: "links", "aria-hidden": "true" });
  const core = drawn("g", { "aria-hidden": "true" }, drawn("circle", { class: "core", cx: center[0], cy: center[1], r: isMany ? 6 : 9 }),
    drawn("text", { class: "core-name", x: center[0], y: center[1] + 26 }, page.data.hub));
  svg.append(links, core, layer);
  return { kind: "node", svg, nodes, links, center, radius, order: routers.map((router) => router.name), columns: 1 };
}

function mosaic(routers, width, height) {
  const side = Math.max(5, Math.min(20, Math.floor(Math.sqrt((width * height) / routers.length))));
  const columns = Math.max(1, Math.floor(width / side));
  const used = Math.ceil(routers.length / columns) * side;
  const svg = mapSvg(width, Math.max(height, used), "mesh mosaic");
  const nodes = new Map();
  const left = (width - columns * side) / 2;
  routers.forEach((router, index) => {
    const [x, y] = [left + (index % columns) * side, Math.floor(index / columns) * side];
    const shape = drawn("rect", { x: x + 1, y: y + 1, width: side - 2, height: side - 2, rx: Math.min(4, side / 4) });
    svg.append(asNode(shape, router.name));
    nodes.set(router.name, { shape, x, y });
  });
  return { kind: "cell", svg, nodes, order: routers.map((router) => router.name), columns };
}

function mapSvg(width, height, kind) {
  return drawn("svg", {
    class: kind, viewBox: `0 0 ${width} ${height}`, role: "group", "aria-labelledby": "map-title", keydown: walk,
    click: (event) => { if (event.target === event.currentTarget) select(""); },
  });
}

function asNode(shape, name) {
  fill(shape, {
    role: "button", tabindex: "-1",
    click: () => select(page.selected === name ? "" : name),
    focus: () => caption(name), mouseenter: () => caption(name),
  }, []);
  shape.dataset.router = name;
  return shape;
}

function caption(name) {
  const router = page.routers.get(name);
  if (router) setText(at("map-caption"), summaryOf(router));
}

function walk(event) {
  const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: layout.columns, ArrowUp: -layout.columns };
  const here = layout.order.indexOf(event.target.dataset.router);
  if (here < 0) return;
  let next = here;
  if (event.key in steps) next = here + steps[event.key];
  else if (event.key === "Home") next = 0;
  else if (event.key === "End") next = layout.order.length - 1;
  else if (event.key === "Enter" || event.key === " ") select(page.selected === layout.order[here] ? "" : layout.order[here]);
  else return;
  event.preventDefault();
  const count = layout.order.length;
  const name = layout.order[((next % count) + count) % count];
  for (const [other, { shape }] of layout.nodes) shape.setAttribute("tabindex", other === name ? "0" : "-1");
  layout.nodes.get(name).shape.focus();
}

// One path element for all links of one state: thousands of links cost five elements.
function drawLinks() {
  if (layout.kind !== "node") return;
  const [cx, cy] = layout.center;
  const shapes = new Map();
  const add = (kind, d) => shapes.set(kind, (shapes.get(kind) ?? "") + d);
  for (const router of page.data.routers) {
    const { x, y } = layout.nodes.get(router.name);
    if (router.state === "silent" || router.state === "never") add("spoke bad", `M${cx} ${cy}L${x.toFixed(1)} ${y.toFixed(1)}`);
    else if (layout.order.length <= 40) add("spoke", `M${cx} ${cy}L${x.toFixed(1)} ${y.toFixed(1)}`);
  }
  for (const path of [...WORST_FIRST].reverse()) {
    for (const link of page.data.links) {
      const [one, other] = [layout.nodes.get(link.first), layout.nodes.get(link.second)];
      if (link.path !== path || !one || !other) continue;
      const isPicked = page.selected !== "" && (link.first === page.selected || link.second === page.selected);
      add(`link ${path}${isPicked ? " of-picked" : ""}`, curve(one, other, path, cx, cy));
    }
  }
  reconcile(layout.links, [...shapes], ([kind]) => kind, ([kind]) => drawn("path", { class: kind }), (shape, [, d]) => {
    if (shape.getAttribute("d") !== d) shape.setAttribute("d", d);
  });
}

// A link through the hub is drawn through the hub; every other one keeps away from it.
function curve(one, other, path, cx, cy) {
  const point = (x, y) => `${x.toFixed(1)} ${y.toFixed(1)}`;
  if (path === "hub") return `M${point(one.x, one.y)}L${point(cx, cy)}L${point(other.x, other.y)}`;
  const [mx, my] = [(one.x + other.x) / 2 - cx, (one.y + other.y) / 2 - cy];
  const [dx, dy] = [other.x - one.x, other.y - one.y];
  const away = Math.min(1, Math.hypot(dx, dy) / (layout.radius[0] + layout.radius[1])) * (dx * my - dy * mx < 0 ? -0.2 : 0.2);
  const [qx, qy] = [cx + mx * 0.55 - dy * away, cy + my * 0.55 + dx * away];
  return `M${point(one.x, one.y)}Q${point(qx, qy)} ${point(other.x, other.y)}`;
}

const clip = (text, length) => (text.length > length ? `${text.slice(0, length - 1)}…` : text);

// Selection

function select(name, scrolls = false) {
  page.selected = page.routers.has(name) ? name : "";
  renderMap();
  renderDetail();
  renderTable();
  if (page.selected && scrolls) {
    const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    at("detail").scrollIntoView({ block: "nearest", behavior: isCalm ? "auto" : "smooth" });
  }
}

function renderDetail() {
  const where = at("detail");
  const router = page.routers.get(page.selected);
  where.hidden = !router;
  if (!router) {
    where.replaceChildren();
    return;
  }
  const hadFocus = where.contains(document.activeElement);
  const close = element("button", { type: "button", class: "plain", click: () => closeDetail() }, "Close");
  const facts = [
    ["State", ROUTER_STATES[router.state].name], ["Endpoint seen by the hub", router.endpoint || "–"],
    ["Last handshake", age(router.handshake_s)], ["Last report", age(router.heard_s)],
    ["Applied its last table in", milliseconds(router.applied_ms)],
  ];
  const order = (link) => WORST_FIRST.indexOf(link.path);
  const links = [...page.linksOf.get(router.name)].sort((one, other) => order(one) - order(other));
  where.replaceChildren(
    element("div", { class: "detail-head" }, glyph(ROUTER_STATES[router.state].looks), element("h3", {}, bidi(router.name)), close),
    element("dl", { class: "facts" }, ...facts.map(([term, value]) => element("div", {}, element("dt", {}, term), element("dd", {}, value)))),
    ...[router.trouble, router.note].filter(Boolean).map((text) => element("p", { class: "banner" }, bidi(text))),
    element("ul", { class: "ends" }, ...links.map((link) => element("li", {}, glyph(link.path), nameButton(farEnd(link, router.name)),
      element("span", { class: "why" }, PATHS[link.path].name, ...(link.path === "direct" ? [" since ", age(link.since_s, "unknown")] : []),
        ...[link.trouble, link.note].filter(Boolean).flatMap((text) => ["; ", bidi(text)]))))),
  );
  if (hadFocus) close.focus({ preventScroll: true });
}

function closeDetail() {
  const name = page.selected;
  select("");
  layout.nodes.get(name)?.shape.focus({ preventScroll: true });
}

// What is wrong

function renderWrong() {
  const { routers, links } = page.data;
  const groups = new Map();
  const add = (table, looksLike, text, names) => {
    const group = groups.get(text) ?? { table, looks: looksLike, text, names: [], count: 0 };
    group.count += 1;
    group.names.push(names);
    groups.set(text, group);
  };
  for (const router of routers) if (router.trouble) add("routers", ROUTER_STATES[router.state].looks, router.trouble, [router.name]);
  for (const link of links) {
    const isEcho = page.routers.get(link.trouble.replace(/^see /, ""))?.trouble; // the router itself is listed
    if (link.trouble && !isEcho) add("links", link.path, link.trouble, [link.first, link.second]);
  }
  const found = [...groups.values()].sort((one, other) => WORST_FIRST.indexOf(one.looks) - WORST_FIRST.indexOf(other.looks)
    || other.count - one.count);
  at("wrong-none").hidden = found.length > 0 || !page.data.known;
  setText(at("wrong-count"), found.length ? plural(found.reduce((sum, group) => sum + group.count, 0), "finding") : "");
  reconcile(at("wrong"), found.slice(0, ROWS), (group) => `${group.looks} ${group.text} ${group.names.join(" ")}`, wrongItem, () => {});
}

function wrongItem(group) {
  const cut = group.text.indexOf(": ");
  const [what, next] = cut > 0 ? [group.text.slice(0, cut), group.text.slice(cut + 2)] : [group.text, ""];
  const who = group.names.slice(0, 3).map((names) => element("span", {}, ...names.flatMap((name, index) => (
    index ? [" – ", nameButton(name)] : [nameButton(name)]))));
  if (group.count > 3) {
    who.push(element("button", { type: "button", class: "name", click: () => find(group.table, group.text) }, `and ${NUMBER.format(group.count - 3)} more`));
  }
  return element("li", {}, glyph(group.looks), element("div", {}, element("p", { class: "who" }, ...who),
    element("p", { class: "what" }, bidi(what)), next ? element("p", { class: "next" }, bidi(next)) : null));
}

// Moves

function renderMoves() {
  const moves = [...page.moves.values()].sort((one, other) => other.number - one.number).slice(0, 50);
  page.moves = new Map(moves.map((move) => [move.number, move]));
  at("moves-none").hidden = moves.length > 0;
  reconcile(at("moves"), moves, (move) => String(move.number), makeMove, updateMove);
}

function makeMove(move) {
  const tags = { delayed: "delayed by flap damping", "first-seen": "first seen" };
  const where = move.kind === "first-seen" ? [bidi(move.endpoint)] : [bidi(move.was), " → ", bidi(move.endpoint)];
  const names = ["detected", ...STAGES.map(([, name]) => name)];
  const stages = names.map((name) => element("div", { class: "stage" },
    element("span", { class: "ms" }), element("span", { class: "label" }, name)));
  return element("li", {},
    element("div", { class: "move-head" }, nameButton(move.router), tags[move.kind] ? element("span", { class: "tag" }, tags[move.kind]) : null,
      element("time", { datetime: new Date(move.at_s * 1000).toISOString() }, clock(move.at_s))),
    element("p", { class: "where" }, ...where), element("div", { class: "stages" }, ...stages));
}

function updateMove(item, move) {
  const [first, ...others] = item.lastChild.children;
  first.className = "stage done";
  setText(first.firstChild, "0 ms");
  STAGES.forEach(([stage, name], index) => {
    const [count, , last] = move.stages[stage];
    const isWaiting = !count && nowS() - move.at_s < 60;
    others[index].className = `stage ${count ? "done" : isWaiting ? "waiting" : ""}`;
    setText(others[index].firstChild, count ? milliseconds(last) : isWaiting ? "…" : "–");
    setText(others[index].lastChild, count && move.links > 1 ? `${name} ${count}/${move.links}` : name);
  });
}

// Tables

const text = (value) => value || "–";
const TABLES = {
  routers: {
    columns: [
      { key: "name", title: "Router", of: (router) => nameButton(router.name) },
      { key: "state", title: "State", of: (router) => state(ROUTER_STATES[router.state].looks, ROUTER_STATES[router.state].name),
        value: (router) => Object.keys(ROUTER_STATES).reverse().indexOf(router.state) },
      { key: "direct", title: "Direct", of: (router) => `${router.direct} of ${page.linksOf.get(router.name).length}`, kind: "num",
        value: (router) => router.direct / Math.max(1, page.linksOf.get(router.name).length) },
      { key: "endpoint", title: "Endpoint", of: (router) => bidi(text(router.endpoint)), kind: "mono optional" },
      { key: "handshake_s", title: "Handshake", of: (router) => age(router.handshake_s), kind: "num optional", value: (router) => -(router.handshake_s ?? 0) },
      { key: "heard_s", title: "Report", of: (router) => age(router.heard_s), kind: "num optional", value: (router) => -(router.heard_s ?? 0) },
      { key: "applied_ms", title: "Applied in", of: (router) => milliseconds(router.applied_ms), kind: "num optional", value: (router) => router.applied_ms ?? Infinity },
      { key: "trouble", title: "What is wrong", of: why, kind: "why" },
    ],
    states: Object.entries(ROUTER_STATES).map(([key, { name }]) => [key, name]),
    stateOf: (router) => router.state, keyOf: (router) => router.name,
    searched: (router) => `${router.name}\n${router.endpoint}\n${router.trouble}\n${router.note}`,
    isSelected: (router) => router.name === page.selected,
  },
  links: {
    columns: [
      { key: "first", title: "Link", of: (link) => element("span", {}, nameButton(link.first), " – ", nameButton(link.second)), value: (link) => `${link.first} ${link.second}` },
      { key: "path", title: "Path", of: (link) => state(link.path, PATHS[link.path].name), value: (link) => WORST_FIRST.indexOf(link.path) },
      { key: "since_s", title: "Direct since", of: (link) => age(link.since_s, "–"), kind: "num optional", value: (link) => -(link.since_s ?? 0) },
      { key: "proven_ms", title: "Proven in", of: (link) => milliseconds(link.proven_ms), kind: "num optional", value: (link) => link.proven_ms ?? Infinity },
      { key: "trouble", title: "Why not direct", of: why, kind: "why" },
    ],
    states: Object.entries(PATHS).map(([key, { name }]) => [key, name]),
    stateOf: (link) => link.path, keyOf: (link) => `${link.first} ${link.second}`,
    searched: (link) => `${link.first}\n${link.second}\n${link.trouble}\n${link.note}`,
    isSelected: (link) => page.selected !== "" && (link.first === page.selected || link.second === page.selected),
  },
};

function why(row) {
  return element("span", {}, bidi(row.trouble), row.note ? element("span", { class: "note" }, bidi(row.note)) : null);
}

function state(path, name) {
  return element("span", { class: "state" }, glyph(path), element("span", {}, name));
}

function rowsShown() {
  const table = TABLES[page.table];
  const words = page.search.toLowerCase().split(/\s+/).filter(Boolean);
  const rows = page.data[page.table].filter((row) => (!page.filter || table.stateOf(row) === page.filter)
    && (!words.length || words.every((word) => table.searched(row).toLowerCase().includes(word))));
  const { key, up } = page.sort[page.table];
  const column = table.columns.find((each) => each.key === key);
  const value = column.value ?? ((row) => row[key]);
  const compare = (one, other) => (typeof one === "string" ? COLLATOR.compare(one, other) : one < other ? -1 : one > other ? 1 : 0);
  return rows.sort((one, other) => (up ? 1 : -1) * compare(value(one), value(other)) || COLLATOR.compare(table.keyOf(one), table.keyOf(other)));
}

function renderTable() {
  if (!page.data) return;
  const table = TABLES[page.table];
  const { key, up } = page.sort[page.table];
  reconcile(at("head"), table.columns, (column) => `${page.table} ${column.key}`, (column) => element(
    "th", { scope: "col", role: "columnheader", class: column.kind?.replace("mono", "") ?? null },
    element("button", { type: "button", click: () => sortBy(column.key) }, column.title),
  ), (head, column) => {
    if (column.key === key) head.setAttribute("aria-sort", up ? "ascending" : "descending");
    else head.removeAttribute("aria-sort");
  });
  const rows = rowsShown();
  const shown = rows.slice(0, page.rows);
  reconcile(at("rows"), shown, (row) => `${page.table} ${table.keyOf(row)}`, () => element("tr", { role: "row" }), (line, row) => {
    line.classList.toggle("selected", table.isSelected(row));
    const stamp = JSON.stringify(row);
    if (line.dataset.stamp === stamp) return;
    line.dataset.stamp = stamp;
    const focused = [...line.children].findIndex((cell) => cell.contains(document.activeElement));
    line.replaceChildren(...table.columns.map((column, index) => element(
      index ? "td" : "th", { class: cellKind(column, row), scope: index ? null : "row", role: index ? "cell" : "rowheader" }, column.of(row))));
    if (focused >= 0) line.children[focused].querySelector("button")?.focus({ preventScroll: true });
  });
  const total = page.data[page.table].length;
  const many = shown.length < rows.length ? `${shown.length} of ` : "";
  setText(at("shown"), `${many}${plural(rows.length, page.table.slice(0, -1))}${rows.length < total ? ` of ${NUMBER.format(total)}` : ""}`);
  at("more").hidden = shown.length === rows.length;
}

const cellKind = (column, row) => (column.kind === "why" && !row.trouble && !row.note ? "why empty" : column.kind ?? null);

function sortBy(key) {
  const sort = page.sort[page.table];
  page.sort[page.table] = { key, up: sort.key === key ? !sort.up : true };
  renderTable();
}

function showTable(name, filter = "") {
  page.table = name;
  page.filter = filter;
  page.rows = ROWS;
  for (const table of Object.keys(TABLES)) {
    at(`tab-${table}`).setAttribute("aria-selected", String(table === name));
    at(`tab-${table}`).setAttribute("tabindex", table === name ? "0" : "-1");
  }
  at("panel").setAttribute("aria-labelledby", `tab-${name}`);
  at("filter").replaceChildren(element("option", { value: "" }, "all"),
    ...TABLES[name].states.map(([value, title]) => element("option", { value, selected: value === filter }, title)));
  if (page.data) {
    renderSummary();
    renderTable();
  }
}

function filterLinks(path) {
  showTable("links", page.table === "links" && page.filter === path ? "" : path);
}

function find(table, words) {
  page.search = words;
  at("search").value = words;
  showTable(table);
  at("tables").scrollIntoView();
  at("tables").focus({ preventScroll: true });
}

// The server

let source = null;
let fetching = null;

async function refresh() {
  if (fetching) {
    fetching.again = true;
    return;
  }
  fetching = { again: false };
  try {
    const answer = await fetch("status.json", { cache: "no-store" });
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    const date = Date.parse(answer.headers.get("Date") ?? "");
    if (date && Math.abs(date - Date.now()) > 2000) page.skewMs = date + 500 - Date.now();
    take(await answer.json());
    page.isLost = false;
    render();
  } catch {
    lost();
  }
  const { again } = fetching;
  fetching = null;
  if (again) refresh();
}

function lost() {
  page.isLost = true;
  if (page.data) renderHead();
  else setText(at("headline"), "No connection to wgmqtt web; retrying.");
}

function listen() {
  source = new EventSource("events");
  source.addEventListener("status", (event) => {
    if (page.isLost || page.data?.revision !== Number(event.data)) refresh();
  });
  source.addEventListener("move", (event) => {
    const move = JSON.parse(event.data);
    takeMove(move);
    if (!page.data) return;
    renderMoves();
    if (nowS() - move.at_s < 3) renderMap();
  });
  source.addEventListener("error", () => {
    lost();
    if (source.readyState === EventSource.CLOSED) setTimeout(listen, 3000);
  });
}

function start() {
  for (const name of Object.keys(TABLES)) at(`tab-${name}`).addEventListener("click", () => showTable(name));
  document.querySelector(".tabs").addEventListener("keydown", (event) => {
    if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
    showTable(page.table === "routers" ? "links" : "routers");
    at(`tab-${page.table}`).focus();
  });
  at("search").addEventListener("input", (event) => { page.search = event.target.value; page.rows = ROWS; renderTable(); });
  at("filter").addEventListener("change", (event) => { page.filter = event.target.value; page.rows = ROWS; renderTable(); renderSummary(); });
  at("more").addEventListener("click", () => { page.rows += ROWS; renderTable(); });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape" && page.selected) closeDetail(); });
  new ResizeObserver(() => { if (page.data) renderMap(); }).observe(at("map"));
  setInterval(() => {
    if (document.hidden) return;
    document.querySelectorAll("time[data-at]").forEach(showAge);
    renderNews();
  }, 1000);
  showTable("routers");
  refresh();
  listen();
}

start();
