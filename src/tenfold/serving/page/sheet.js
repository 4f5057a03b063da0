// The sheet: what is drawn on it by pointer or keyboard, a photo instead of that, and how it is undone.
// Knows nothing about the service. Places are in units of the sheet: 1000 wide, 750 high.

export const WIDTH = 1000;
export const HEIGHT = 750;
const PEN = 30;
const STEP = 25;
const SMALL_STEP = 5;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const EMPTY = { strokes: [], photo: null };

export class Sheet {
  // onChange is called whenever there is something else on the sheet; say with a text for who cannot see it.
  constructor(canvas, { onChange, say }) {
    this.canvas = canvas;
    this.onChange = onChange;
    this.say = say;
    this.state = EMPTY;
    this.past = [];
    this.boxes = null;
    this.pen = { x: WIDTH / 2, y: HEIGHT / 2, down: false, shown: false };
    this.held = new Set();
    this.pointer = null;
    this.listen();
  }

  get isEmpty() {
    return !this.state.photo && this.state.strokes.length === 0;
  }

  // Whether a stroke is being drawn.
  get isBusy() {
    return this.pointer !== null || this.pen.down;
  }

  get photo() {
    return this.state.photo;
  }

  undo() {
    this.liftPen();
    if (this.past.length) this.change(this.past.pop());
  }

  clear() {
    this.liftPen();
    if (!this.isEmpty) this.begin(EMPTY);
  }

  // photo: { content: Blob, bitmap: ImageBitmap or null where the browser cannot show it }
  show(photo) {
    this.liftPen();
    this.begin({ strokes: [], photo });
  }

  // Boxes on the picture that the service read, of that picture's size; null for none.
  mark(boxes) {
    this.boxes = boxes;
    this.redraw();
  }

  // What is drawn, as a PNG, black on white, so many pixels wide.
  drawing(pixels) {
    const canvas = document.createElement("canvas");
    canvas.width = pixels;
    canvas.height = (pixels * HEIGHT) / WIDTH;
    const context = canvas.getContext("2d");
    context.fillStyle = "#fff";
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.scale(pixels / WIDTH, pixels / WIDTH);
    this.state.strokes.forEach((stroke) => draw(context, stroke, "#000"));
    // toBlob would wait until the browser has nothing else to do, up to a second.
    const bytes = atob(canvas.toDataURL("image/png").split(",")[1]);
    return new Blob([Uint8Array.from(bytes, (byte) => byte.charCodeAt(0))], { type: "image/png" });
  }

  // Keep what there was for undo.
  begin(state) {
    this.past.push(this.state);
    this.change(state);
  }

  change(state) {
    this.state = state;
    this.boxes = null;
    this.canvas.classList.toggle("shows-photo", Boolean(state.photo));
    this.redraw();
    this.onChange();
  }

  startStroke(point) {
    this.begin({ strokes: [...this.state.strokes, [point]], photo: null });
  }

  extendStroke(points) {
    this.state.strokes.at(-1).push(...points);
    this.change(this.state);
  }

  listen() {
    const { canvas } = this;
    canvas.addEventListener("pointerdown", (event) => this.pointerDown(event));
    canvas.addEventListener("pointermove", (event) => this.pointerMove(event));
    for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) {
      canvas.addEventListener(end, (event) => this.pointerEnd(event));
    }
    canvas.addEventListener("keydown", (event) => this.keyDown(event));
    canvas.addEventListener("keyup", (event) => this.held.delete(event.key));
    canvas.addEventListener("blur", () => {
      this.held.clear();
      this.liftPen();
      this.pen.shown = false;
      this.redraw();
    });
    new ResizeObserver(() => this.redraw()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.redraw());
  }

  place(event) {
    const frame = this.canvas.getBoundingClientRect();
    const scale = WIDTH / frame.width;
    // A mouse always presses with 0.5; a pen with what the hand gives.
    const width = event.pointerType === "pen" ? PEN * (0.5 + event.pressure) : PEN;
    return { x: (event.clientX - frame.left) * scale, y: (event.clientY - frame.top) * scale, width };
  }

  pointerDown(event) {
    if (!event.isPrimary || event.button !== 0 || this.photo) return;
    this.liftPen();
    this.pen.shown = false;
    this.pointer = event.pointerId;
    this.canvas.setPointerCapture(event.pointerId);
    this.startStroke(this.place(event));
  }

  pointerMove(event) {
    if (event.pointerId !== this.pointer) return;
    // Between two frames a pen or finger is at several places.
    const events = event.getCoalescedEvents?.() ?? [];
    this.extendStroke((events.length ? events : [event]).map((each) => this.place(each)));
  }

  pointerEnd(event) {
    if (event.pointerId !== this.pointer) return;
    this.pointer = null;
    this.endStroke();
  }

  keyDown(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key in ARROWS) this.movePen(event);
    else if (event.key === " " || event.key === "Enter") this.togglePen();
    else if (event.key === "Escape") this.liftPen();
    else if (event.key === "Delete") this.clear();
    else if (event.key === "Backspace") this.undo();
    else return;
    event.preventDefault();
  }

  movePen(event) {
    this.held.add(event.key);
    const step = event.shiftKey ? SMALL_STEP : STEP;
    const { pen } = this;
    for (const key of this.held) {
      pen.x = Math.min(Math.max(pen.x + ARROWS[key][0] * step, 0), WIDTH);
      pen.y = Math.min(Math.max(pen.y + ARROWS[key][1] * step, 0), HEIGHT);
    }
    pen.shown = true;
    if (pen.down) this.extendStroke([this.penPlace()]);
    else this.redraw();
  }

  togglePen() {
    if (this.photo) {
      this.say("A photo is shown. Delete clears the sheet.");
      return;
    }
    const { pen } = this;
    pen.shown = true;
    pen.down = !pen.down;
    if (pen.down) this.startStroke(this.penPlace());
    else this.endStroke();
    this.say(pen.down ? "Pen down." : "Pen up.");
  }

  liftPen() {
    this.pointer = null;
    if (!this.pen.down) return;
    this.pen.down = false;
    this.endStroke();
  }

  endStroke() {
    this.redraw();
    this.onChange();
  }

  penPlace() {
    return { x: this.pen.x, y: this.pen.y, width: PEN };
  }

  // Once before the next frame, however often it is asked for.
  redraw() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.paint();
    });
  }

  paint() {
    const { canvas } = this;
    const scale = (canvas.clientWidth / WIDTH) * devicePixelRatio;
    canvas.width = Math.round(WIDTH * scale);
    canvas.height = Math.round(HEIGHT * scale);
    const context = canvas.getContext("2d");
    const colours = getComputedStyle(canvas);
    const ink = colours.getPropertyValue("--ink");
    const accent = colours.getPropertyValue("--accent");
    context.scale(scale, scale);
    if (this.photo?.bitmap) {
      const { x, y, width, height } = fitted(this.photo.bitmap);
      context.drawImage(this.photo.bitmap, x, y, width, height);
    }
    this.state.strokes.forEach((stroke) => draw(context, stroke, ink));
    if (this.boxes) drawBoxes(context, this.boxes, accent, colours.getPropertyValue("--on-accent"));
    if (this.pen.shown) drawPen(context, this.pen, accent);
  }
}

// Where a picture of this size lies when all of it is shown on the sheet.
function fitted({ width, height }) {
  const scale = Math.min(WIDTH / width, HEIGHT / height);
  const size = { width: width * scale, height: height * scale };
  return { x: (WIDTH - size.width) / 2, y: (HEIGHT - size.height) / 2, scale, ...size };
}

// A smooth line: each point bends it, and it runs through the middle between two of them. Where its width
// changes another path begins; a path for every piece would show its ends.
function draw(context, points, colour) {
  context.strokeStyle = context.fillStyle = colour;
  context.lineCap = context.lineJoin = "round";
  const [first] = points;
  context.beginPath();
  context.arc(first.x, first.y, first.width / 2, 0, 2 * Math.PI);
  context.fill();
  let from = first;
  let width = null;
  for (let i = 1; i < points.length; i++) {
    const point = points[i];
    const next = points[i + 1];
    const to = next ? { x: (point.x + next.x) / 2, y: (point.y + next.y) / 2 } : point;
    if (point.width !== width) {
      if (width !== null) context.stroke();
      width = point.width;
      context.lineWidth = width;
      context.beginPath();
      context.moveTo(from.x, from.y);
    }
    context.quadraticCurveTo(point.x, point.y, to.x, to.y);
    from = to;
  }
  if (width !== null) context.stroke();
}

function drawBoxes(context, { width, height, boxes }, colour, textColour) {
  const { x, y, scale } = fitted({ width, height });
  context.lineWidth = 2.5;
  context.font = "600 24px system-ui, sans-serif";
  context.textAlign = "center";
  context.textBaseline = "middle";
  for (const { box, text } of boxes) {
    const [left, top, wide, high] = box.map((value) => value * scale);
    context.strokeStyle = context.fillStyle = colour;
    context.beginPath();
    context.roundRect(x + left - 4, y + top - 4, wide + 8, high + 8, 8);
    context.stroke();
    // Beneath the box where there is no room above it.
    const middle = y + top - 22 > 16 ? y + top - 22 : y + top + high + 22;
    context.beginPath();
    context.roundRect(x + left + wide / 2 - 14, middle - 15, 28, 30, 8);
    context.fill();
    context.fillStyle = textColour;
    context.fillText(text, x + left + wide / 2, middle + 1);
  }
}

function drawPen(context, { x, y, down }, colour) {
  context.strokeStyle = colour;
  context.lineWidth = 3;
  context.beginPath();
  context.arc(x, y, down ? PEN / 2 + 3 : PEN / 2 + 9, 0, 2 * Math.PI);
  for (const [dx, dy] of Object.values(ARROWS)) {
    context.moveTo(x + dx * 30, y + dy * 30);
    context.lineTo(x + dx * 44, y + dy * 44);
  }
  context.stroke();
}
