// The page: a sheet to draw one digit on, by mouse, finger, pen or keyboard, and what the network makes of it.
"use strict";

(() => {
  // The sheet in its own units; the picture that is looked at has a margin around it, which nothing is drawn on.
  const SHEET = 200, MARGIN = 12, PICTURE = SHEET + 2 * MARGIN, PEN = 14;
  const STEP = 6, ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  const byId = (id) => document.getElementById(id);
  const sheet = byId("sheet"), seen = byId("seen");
  const pen = { x: SHEET / 2, y: SHEET / 2, isDown: false, isShown: false };
  let strokes = [], pointer = null, isAsked = false;

  const bars = Array.from({ length: 10 }, (_, digit) => {
    const line = document.createElement("li"), name = document.createElement("span");
    const bar = document.createElement("meter"), share = document.createElement("output");
    name.textContent = digit;
    bar.setAttribute("aria-label", digit);
    line.append(name, bar, share);
    byId("bars").append(line);
    return { bar, share };
  });

  function drawOn(context, colour) {
    context.strokeStyle = context.fillStyle = colour;
    context.lineWidth = PEN;
    context.lineCap = context.lineJoin = "round";
    for (const points of strokes) {
      context.beginPath();
      if (points.length === 1) {
        context.arc(...points[0], PEN / 2, 0, 2 * Math.PI);
        context.fill();
        continue;
      }
      points.forEach((point, i) => (i ? context.lineTo(...point) : context.moveTo(...point)));
      context.stroke();
    }
  }

  // What is drawn, dark on white: { width, height, values }.
  function picture() {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = PICTURE;
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.fillStyle = "#fff";
    context.fillRect(0, 0, PICTURE, PICTURE);
    context.beginPath();
    context.rect(MARGIN, MARGIN, SHEET, SHEET);
    context.clip();
    context.translate(MARGIN, MARGIN);
    drawOn(context, "#000");
    const { data } = context.getImageData(0, 0, PICTURE, PICTURE);
    return { width: PICTURE, height: PICTURE, values: Uint8Array.from({ length: PICTURE ** 2 }, (_, i) => data[4 * i]) };
  }

  function answer() {
    const { values } = canonical(picture());
    const image = new ImageData(28, 28);
    values.forEach((value, i) => image.data.set([value, value, value, 255], 4 * i));
    seen.getContext("2d").putImageData(image, 0, 0);
    const shares = strokes.length ? probabilities(values) : new Array(10).fill(0);
    const most = Math.max(...shares), isDigit = most >= MODEL.description.reject_below;
    const told = isDigit ? String(shares.indexOf(most)) : "not a digit";
    const text = strokes.length ? told : "Draw a digit.";
    if (byId("digit").textContent !== text) byId("digit").textContent = text;
    shares.forEach((share, digit) => {
      bars[digit].bar.value = share;
      bars[digit].share.textContent = `${(100 * share).toFixed(1)} %`;
    });
    byId("undo").disabled = byId("clear").disabled = !strokes.length;
  }

  function paint() {
    const size = Math.max(1, Math.round(sheet.clientWidth * devicePixelRatio));
    sheet.width = sheet.height = size;
    const context = sheet.getContext("2d"), colour = getComputedStyle(sheet).color;
    context.scale(size / SHEET, size / SHEET);
    drawOn(context, colour);
    if (!pen.isShown) return;
    context.lineWidth = 1.5;
    context.beginPath();
    context.arc(pen.x, pen.y, pen.isDown ? PEN / 2 + 2 : PEN / 2 + 5, 0, 2 * Math.PI);
    context.stroke();
  }

  // Once before the next frame, however often something changes.
  function change() {
    if (isAsked) return;
    isAsked = true;
    requestAnimationFrame(() => {
      isAsked = false;
      paint();
      answer();
    });
  }

  function place(event) {
    const frame = sheet.getBoundingClientRect();
    return [((event.clientX - frame.left) * SHEET) / frame.width, ((event.clientY - frame.top) * SHEET) / frame.height];
  }

  function keep(next) {
    pen.isDown = false;
    pointer = null;
    strokes = next;
    change();
  }

  sheet.addEventListener("pointerdown", (event) => {
    if (!event.isPrimary || event.button !== 0) return;
    pen.isShown = false;
    keep([...strokes, [place(event)]]);
    pointer = event.pointerId;
    sheet.setPointerCapture(pointer);
  });
  sheet.addEventListener("pointermove", (event) => {
    if (event.pointerId !== pointer) return;
    const events = event.getCoalescedEvents?.() ?? [];
    strokes.at(-1).push(...(events.length ? events : [event]).map(place));
    change();
  });
  for (const end of ["pointerup", "pointercancel"]) {
    sheet.addEventListener(end, (event) => { if (event.pointerId === pointer) pointer = null; });
  }
  sheet.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key in ARROWS) {
      const [right, down] = ARROWS[event.key];
      pen.x = Math.min(Math.max(pen.x + right * STEP, 0), SHEET);
      pen.y = Math.min(Math.max(pen.y + down * STEP, 0), SHEET);
      pen.isShown = true;
      if (pen.isDown) strokes.at(-1).push([pen.x, pen.y]);
    } else if (event.key === " ") {
      pen.isShown = true;
      pen.isDown = !pen.isDown;
      if (pen.isDown) strokes = [...strokes, [[pen.x, pen.y]]];
    } else if (event.key === "Delete") {
      keep([]);
    } else {
      return;
    }
    event.preventDefault();
    change();
  });
  addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key === "z") keep(strokes.slice(0, -1));
  });
  byId("undo").addEventListener("click", () => keep(strokes.slice(0, -1)));
  byId("clear").addEventListener("click", () => keep([]));
  new ResizeObserver(paint).observe(sheet);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paint);
  change();
})();
