/* What the page does where scripts run: values when charts are pointed at or walked with the arrow keys, and a closer look
 * where a rectangle is drawn. Without it, the titles of points and the tables have the same numbers. */
"use strict";
(() => {
const NS = "http://www.w3.org/2000/svg";
const tip = document.createElement("div");
tip.className = "tip";
tip.hidden = true;
tip.setAttribute("aria-hidden", "true");
const spoken = document.createElement("div"); /* what keys reach, for who hears the page */
spoken.className = "spoken";
spoken.setAttribute("aria-live", "polite");
document.body.append(tip, spoken);

const make = (name, attributes, parent, text) => {
    const element = document.createElementNS(NS, name);
    for (const key in attributes) element.setAttribute(key, attributes[key]);
    if (text !== undefined) element.textContent = text;
    if (parent) parent.append(element);
    return element;
};

/* Round values, as the program chooses them (core/report/scale.c). */
const ticksOf = (scale) => {
    const out = [];
    if (scale.log) {
        const first = Math.floor(Math.log10(scale.low) + 1e-9), last = Math.floor(Math.log10(scale.high) + 1e-9);
        const every = 1 + Math.floor((last - first) / Math.max(scale.ticks, 2));
        for (let e = first; e <= last; e += every)
            for (const lead of last - first <= 2 ? [1, 2, 5] : [1]) {
                const tick = lead * 10 ** e;
                if (tick >= scale.low * (1 - 1e-9) && tick <= scale.high * (1 + 1e-9)) out.push(tick);
            }
        if (out.length > 1) return out.map((v) => [v, v >= 1e-3 && v < 1e5 ? String(+v.toPrecision(6)) : v.toExponential(0)]);
    }
    out.length = 0;
    const rough = (scale.high - scale.low) / Math.max(scale.ticks - 1, 2), power = 10 ** Math.floor(Math.log10(rough));
    const lead = rough / power, step = power * (lead < 1.5 ? 1 : lead < 3.5 ? 2 : lead < 7.5 ? 5 : 10);
    const digits = Math.min(Math.max(-Math.floor(Math.log10(step) + 1e-9), 0), 12);
    const text = (v) => Math.abs(v) >= 1e6 || (v !== 0 && Math.abs(scale.high) < 1e-4) ? v.toExponential(2)
        : v.toFixed(digits).replace("-", "\u2212");
    for (let k = Math.ceil(scale.low / step - 1e-9); k * step <= scale.high + 1e-9 * step; k++)
        out.push([k * step, text(k * step)]);
    return out;
};

class Chart {
    constructor(svg) {
        this.svg = svg;
        this.panel = svg.closest(".panel");
        this.zoomable = svg.dataset.zoom || "";
        this.marks = [...svg.querySelectorAll(".mark")].map((element) => {
            const title = element.querySelector("title"), text = title.textContent;
            title.remove();
            return { element, text };
        });
        this.current = -1;
        if (svg.dataset.box) this.readAxes();
        svg.addEventListener("pointermove", (event) => this.move(event));
        svg.addEventListener("pointerdown", (event) => this.press(event));
        svg.addEventListener("pointerup", (event) => this.release(event));
        svg.addEventListener("pointercancel", () => this.dropSelection());
        svg.addEventListener("pointerleave", () => { if (!this.from) this.hide(); });
        svg.addEventListener("dblclick", () => this.reset());
        svg.addEventListener("keydown", (event) => this.key(event));
        svg.addEventListener("blur", () => this.hide());
    }

    readAxes() {
        const [left, top, right, bottom] = this.svg.dataset.box.split(" ").map(Number);
        const read = (text) => {
            const [low, high, kind, ticks] = text.split(" ");
            return { low: +low, high: +high, log: kind === "log", ticks: +ticks };
        };
        this.box = { left, top, right, bottom };
        this.x = read(this.svg.dataset.x);
        this.y = read(this.svg.dataset.y);
        this.axes = this.svg.querySelector(".axes");
        this.axesBefore = this.axes.innerHTML;
        this.plot = this.svg.querySelector(".plot");
        this.shapes = [...this.plot.querySelectorAll("polyline,polygon,line,circle")].map((element) => {
            const before = {};
            for (const name of ["points", "x1", "y1", "x2", "y2", "cx", "cy"])
                if (element.hasAttribute(name)) before[name] = element.getAttribute(name);
            return { element, before };
        });
    }

    /* From the window to user units. */
    place(event) {
        const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(this.svg.getScreenCTM().inverse());
        return [point.x, point.y];
    }

    where(mark) {
        const e = mark.element;
        return e.dataset.x ? [+e.dataset.x, +e.dataset.y] : [+e.getAttribute("cx"), +e.getAttribute("cy")];
    }

    inside([x, y]) {
        const b = this.box;
        return !b || (x >= b.left - 1 && x <= b.right + 1 && y >= b.top - 1 && y <= b.bottom + 1);
    }

    move(event) {
        const [x, y] = this.place(event);
        if (this.from) { this.select(x, y); return; }
        let best = -1, least = this.box ? 30 * 30 : 60 * 60;
        this.marks.forEach((mark, i) => {
            const [mx, my] = this.where(mark), d = (mx - x) ** 2 + (my - y) ** 2;
            if (d < least && this.inside([mx, my])) { least = d; best = i; }
        });
        if (best < 0) this.hide(); else this.show(best);
    }

    show(i) {
        const [x, y] = this.where(this.marks[i]);
        this.current = i;
        if (!this.ring) this.ring = make("circle", { class: "ring", r: 7 });
        if (this.marks[i].element.tagName === "circle") this.svg.append(this.ring);
        this.ring.setAttribute("cx", x);
        this.ring.setAttribute("cy", y);
        const screen = new DOMPoint(x, y).matrixTransform(this.svg.getScreenCTM());
        tip.textContent = this.marks[i].text;
        tip.hidden = false;
        const right = document.documentElement.clientWidth - tip.offsetWidth - 8;
        tip.style.left = Math.max(8, Math.min(screen.x + 12, right)) + window.scrollX + "px";
        tip.style.top = Math.max(screen.y - tip.offsetHeight - 12, 4) + window.scrollY + "px";
    }

    hide() {
        tip.hidden = true;
        this.current = -1;
        if (this.ring) this.ring.remove();
    }

    key(event) {
        const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
        if (step && this.marks.length) {
            let i = this.current;
            for (let n = 0; n < this.marks.length; n++) {
                i = i < 0 ? (step > 0 ? 0 : this.marks.length - 1) : (i + step + this.marks.length) % this.marks.length;
                if (this.inside(this.where(this.marks[i]))) break;
            }
            this.show(i);
            spoken.textContent = this.marks[i].text;
        } else if (event.key === "Escape") {
            this.hide();
            this.reset();
        } else if ((event.key === "+" || event.key === "-") && this.zoomable) {
            this.scaleAround(event.key === "+" ? 0.5 : 2);
        } else {
            return;
        }
        event.preventDefault();
    }

    press(event) {
        const at = this.place(event);
        if (!this.zoomable || event.button !== 0 || event.pointerType === "touch" || !this.inside(at)) return;
        this.from = at;
        this.svg.setPointerCapture(event.pointerId);
    }

    area([x, y]) {
        const b = this.box, clamp = (v, low, high) => Math.min(Math.max(v, low), high);
        const xs = [this.from[0], clamp(x, b.left, b.right)].sort((a, c) => a - c);
        const ys = [this.from[1], clamp(y, b.top, b.bottom)].sort((a, c) => a - c);
        return { left: this.zoomable.includes("x") ? xs[0] : b.left, right: this.zoomable.includes("x") ? xs[1] : b.right,
            top: this.zoomable.includes("y") ? ys[0] : b.top, bottom: this.zoomable.includes("y") ? ys[1] : b.bottom };
    }

    select(x, y) {
        const a = this.area([x, y]);
        if (!this.selection) this.selection = make("rect", { class: "select" }, this.svg);
        for (const [name, value] of Object.entries({ x: a.left, y: a.top, width: a.right - a.left, height: a.bottom - a.top }))
            this.selection.setAttribute(name, value);
    }

    dropSelection() {
        this.from = null;
        if (this.selection) this.selection.remove();
        this.selection = null;
    }

    release(event) {
        if (!this.from) return;
        const a = this.area(this.place(event));
        this.dropSelection();
        if (a.right - a.left > 8 && a.bottom - a.top > 8) this.zoom(a);
        else this.move(event);
    }

    /* What is seen now, in places of the whole. */
    get view() { return this.seen || { ...this.box }; }

    zoom(a) {
        const b = this.box, v = this.view;
        const back = (p, low, high, from, to) => from + (p - low) / (high - low) * (to - from);
        this.draw({ left: back(a.left, b.left, b.right, v.left, v.right), right: back(a.right, b.left, b.right, v.left, v.right),
            top: back(a.top, b.top, b.bottom, v.top, v.bottom), bottom: back(a.bottom, b.top, b.bottom, v.top, v.bottom) });
    }

    scaleAround(factor) {
        const v = this.view, b = this.box, at = this.current < 0 ? null : this.where(this.marks[this.current]);
        const span = (low, high, share) => {
            const center = low + share * (high - low), half = (high - low) * factor / 2;
            return [center - half, center + half];
        };
        const sx = at ? (at[0] - b.left) / (b.right - b.left) : 0.5, sy = at ? (at[1] - b.top) / (b.bottom - b.top) : 0.5;
        const [left, right] = this.zoomable.includes("x") ? span(v.left, v.right, sx) : [v.left, v.right];
        const [top, bottom] = this.zoomable.includes("y") ? span(v.top, v.bottom, sy) : [v.top, v.bottom];
        if (right - left >= b.right - b.left && bottom - top >= b.bottom - b.top) { this.reset(); return; }
        this.draw({ left, right, top, bottom });
        if (this.current >= 0) this.show(this.current);
    }

    draw(v) {
        const b = this.box;
        if (v.right - v.left < 0.05 || v.bottom - v.top < 0.05) return;
        const fx = (x) => b.left + (x - v.left) / (v.right - v.left) * (b.right - b.left);
        const fy = (y) => b.top + (y - v.top) / (v.bottom - v.top) * (b.bottom - b.top);
        this.seen = v;
        for (const { element, before } of this.shapes)
            for (const [name, value] of Object.entries(before)) {
                if (name === "points")
                    element.setAttribute(name, value.split(" ").map((p) => {
                        const [x, y] = p.split(",").map(Number);
                        return fx(x).toFixed(2) + "," + fy(y).toFixed(2);
                    }).join(" "));
                else
                    element.setAttribute(name, (name.includes("x") ? fx : fy)(+value).toFixed(2));
            }
        this.hide();
        this.drawAxes(v);
        this.offerReset();
    }

    /* The part of an axis between two places. */
    part(scale, start, end, from, to) {
        const value = (p) => {
            const share = (p - start) / (end - start);
            return scale.log ? scale.low * (scale.high / scale.low) ** share : scale.low + share * (scale.high - scale.low);
        };
        return { ...scale, low: value(from), high: value(to) };
    }

    drawAxes(v) {
        const b = this.box;
        this.axes.replaceChildren();
        const at = (scale, value, start, end) => {
            const share = scale.log ? Math.log(value / scale.low) / Math.log(scale.high / scale.low)
                : (value - scale.low) / (scale.high - scale.low);
            return start + share * (end - start);
        };
        if (this.x.ticks) {
            const scale = this.part(this.x, b.left, b.right, v.left, v.right);
            for (const [value, text] of ticksOf(scale)) {
                const x = at(scale, value, b.left, b.right);
                make("line", { class: "grid", x1: x, x2: x, y1: b.top, y2: b.bottom }, this.axes);
                make("text", { class: "tick", x, y: b.bottom + 16, "text-anchor": "middle" }, this.axes, text);
            }
        }
        if (this.y.ticks) {
            const scale = this.part(this.y, b.bottom, b.top, v.bottom, v.top);
            for (const [value, text] of ticksOf(scale)) {
                const y = at(scale, value, b.bottom, b.top);
                make("line", { class: "grid", x1: b.left, x2: b.right, y1: y, y2: y }, this.axes);
                make("text", { class: "tick", x: b.left - 6, y: y + 4, "text-anchor": "end" }, this.axes, text);
            }
        }
    }

    offerReset() {
        if (this.button) return;
        this.button = document.createElement("button");
        this.button.className = "reset";
        this.button.type = "button";
        this.button.textContent = "Show all";
        this.button.addEventListener("click", () => this.reset());
        this.panel.append(this.button);
    }

    reset() {
        if (!this.seen) return;
        for (const { element, before } of this.shapes)
            for (const [name, value] of Object.entries(before)) element.setAttribute(name, value);
        this.axes.innerHTML = this.axesBefore;
        this.seen = null;
        this.button.remove();
        this.button = null;
        this.hide();
    }
}

for (const svg of document.querySelectorAll("svg.chart[data-zoom]")) new Chart(svg);
})();
