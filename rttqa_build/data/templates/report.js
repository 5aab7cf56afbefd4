"use strict";
// The report's own script: it fetches and stores nothing. Without it the page is complete, but still.
(() => {
  const all = (selector, within = document) => Array.from(within.querySelectorAll(selector));
  const one = (selector, within = document) => within.querySelector(selector);

  // Linear between the points of a curve: y at x, where xs rise.
  const between = (xs, ys, x) => {
    const right = xs.findIndex((place) => place >= x);
    if (right < 0) return ys[ys.length - 1];
    if (right === 0) return ys[0];
    const share = (x - xs[right - 1]) / (xs[right] - xs[right - 1] || 1);
    return ys[right - 1] + share * (ys[right] - ys[right - 1]);
  };

  const histogram = (plot) => {
    const svg = one("svg.dvh", plot);
    const [left, top, width, height] = svg.getAttribute("viewBox").split(" ").map(Number);
    const [wide, high, highest] = ["width", "height", "top"].map((name) => Number(svg.dataset[name]));
    const curves = all("polyline", svg).map((line) => {
      const points = line.getAttribute("points").split(" ").map((pair) => pair.split(",").map(Number));
      return { line, dose: points.map(([x]) => (x * highest) / wide), volume: points.map(([, y]) => 100 - (y * 100) / high) };
    });
    const rows = all("tbody tr", plot);
    const at = { dose: Number(svg.dataset.start) || highest / 2, volume: 50 };
    const limit = (value, most) => Math.min(Math.max(value, 0), most);

    const tell = () => {
      const x = (at.dose / highest) * wide;
      const y = high - (at.volume / 100) * high;
      one(".cursor", svg).setAttribute("d", `M${x.toFixed(1)} 0V${high}M0 ${y.toFixed(1)}H${wide}`);
      one(".at-dose", plot).textContent = `${at.dose.toFixed(1)} Gy`;
      one(".at-volume", plot).textContent = `${at.volume.toFixed(0)} %`;
      curves.forEach(({ dose, volume }, index) => {
        const [covered, received] = all("output", rows[index]);
        covered.textContent = at.dose > dose[dose.length - 1] ? "0.0 %" : `${between(dose, volume, at.dose).toFixed(1)} %`;
        received.textContent = `${between([...volume].reverse(), [...dose].reverse(), at.volume).toFixed(1)} Gy`;
      });
    };
    const go = (dose, volume) => {
      at.dose = limit(dose, highest);
      at.volume = limit(volume, 100);
      tell();
    };
    svg.addEventListener("pointermove", (event) => {
      const box = svg.getBoundingClientRect();
      const x = left + ((event.clientX - box.left) / box.width) * width;
      const y = top + ((event.clientY - box.top) / box.height) * height;
      go((x / wide) * highest, 100 - (y / high) * 100);
    });
    svg.tabIndex = 0;
    svg.addEventListener("keydown", (event) => {
      const step = event.shiftKey ? 5 : 0.5;
      const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, 2 * step], ArrowDown: [0, -2 * step] };
      if (!moves[event.key]) return;
      event.preventDefault();
      go(at.dose + moves[event.key][0], at.volume + moves[event.key][1]);
    });
    const boxes = rows.map((row) => one("input", row));
    const show = () => boxes.forEach((box, index) => {
      curves[index].line.toggleAttribute("hidden", !box.checked);
      rows[index].classList.toggle("off", !box.checked);
    });
    boxes.forEach((box, index) => {
      box.addEventListener("change", show);
      const mark = (on) => () => curves[index].line.classList.toggle("marked", on);
      rows[index].addEventListener("pointerenter", mark(true));
      rows[index].addEventListener("pointerleave", mark(false));
      box.addEventListener("focus", mark(true));
      box.addEventListener("blur", mark(false));
    });
    all("button", plot).forEach((button) => button.addEventListener("click", () => {
      boxes.forEach((box) => { box.checked = button.value === "all"; });
      show();
    }));
    show();
    tell();
  };

  const viewer = (section) => {
    const slices = all(".slice", section);
    const slider = one("input[type=range]", section);
    const show = () => {
      slices.forEach((slice, index) => { slice.hidden = index !== Number(slider.value); });
      const title = slices[Number(slider.value)].dataset.title;
      one("output", section).textContent = title;
      slider.setAttribute("aria-valuetext", title);
    };
    slider.addEventListener("input", show);
    one(".stack", section).addEventListener("wheel", (event) => {
      event.preventDefault();
      slider.value = Number(slider.value) - Math.sign(event.deltaY);
      show();
    }, { passive: false });
    all("input[type=checkbox]", section).forEach((box) => box.addEventListener("change", () => {
      all(`img.${box.value}`, section).forEach((layer) => { layer.hidden = !box.checked; });
    }));
    show();
  };

  document.documentElement.classList.add("live");
  all(".plot").forEach(histogram);
  all(".viewer").forEach(viewer);
})();
