// A drawing of one digit -> its canonical form: what tenfold.pictures makes of the same drawing, in its words and
// to the pixel. Simpler than there, where it must: a drawing is dark on even white paper, and has a margin.
// A picture is { width, height, values }, values in rows; ink is 0..1, bytes 0..255.
"use strict";

const { canonical } = (() => {
  // The numbers are those of tenfold.pictures, written into form.js from there.
  const {
    SIDE, BOX_PIXELS, CENTRE, FINE, FINE_BOX, ROOM, STEEPEST, FULL, SHARPENED, USUAL_STROKES, LEAST_CONTRAST,
    GRAIN_TIMES, FULL_DEPTH,
    INKED, SPECK_SHARE, DUST_SHARE, NEAR, OTHERS_SHARE, FLAT, WIDE, FRAME_STRIP, FRAME_INSIDE,
    DIRECTIONS_HELD, FRAMED_INK, FRAMED_SIDE,
  } = FORM;

  const bytes = (width, height) => ({ width, height, values: new Uint8Array(width * height) });
  const floats = (width, height) => ({ width, height, values: new Float32Array(width * height) });
  const clip = (value, low, high) => Math.min(Math.max(value, low), high);
  const total = (values) => values.reduce((sum, value) => sum + value, 0);

  // Python rounds halves to the even number.
  const round = (value) => {
    const floor = Math.floor(value);
    if (value - floor !== 0.5) return Math.round(value);
    return floor % 2 ? floor + 1 : floor;
  };

  // To one decimal place, likewise; only quarters lie in the middle between two.
  const toTenths = (value) => ((4 * value) % 2 === 1 ? round(10 * value) / 10 : Number(value.toFixed(1)));

  const map = (picture, change) => ({ ...picture, values: picture.values.map(change) });

  function cut({ width, values }, top, left, bottom, right) {
    const part = { width: right - left, height: bottom - top, values: new values.constructor((right - left) * (bottom - top)) };
    for (let y = top; y < bottom; y++) part.values.set(values.subarray(y * width + left, y * width + right), (y - top) * part.width);
    return part;
  }

  // Means of k x k pixels, as Pillow's Image.reduce takes them.
  function reduced(picture, k) {
    if (k === 1) return picture;
    const small = bytes(Math.ceil(picture.width / k), Math.ceil(picture.height / k));
    for (let y = 0; y < small.height; y++) {
      const bottom = Math.min((y + 1) * k, picture.height);
      for (let x = 0; x < small.width; x++) {
        const right = Math.min((x + 1) * k, picture.width);
        const area = (bottom - y * k) * (right - x * k);
        let sum = Math.floor(area / 2);
        for (let v = y * k; v < bottom; v++) for (let u = x * k; u < right; u++) sum += picture.values[v * picture.width + u];
        small.values[y * small.width + x] = Math.floor((sum * Math.floor(2 ** 24 / area)) / 2 ** 24);
      }
    }
    return small;
  }

  const FILTERS = {
    box: { reach: 0.5, at: (x) => (x > -0.5 && x <= 0.5 ? 1 : 0) },
    bilinear: { reach: 1, at: (x) => Math.max(1 - Math.abs(x), 0) },
    bicubic: {
      reach: 2,
      at: (x) => {
        x = Math.abs(x);
        if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
        return x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
      },
    },
  };

  // Which pixels of a side, from `from` to `to`, make up each of `size` new ones, and with what weights.
  function shares(side, from, to, size, { reach, at }) {
    const scale = (to - from) / size, wide = Math.max(scale, 1), support = reach * wide;
    return Array.from({ length: size }, (_, i) => {
      const centre = from + (i + 0.5) * scale;
      const first = Math.max(Math.trunc(centre - support + 0.5), 0);
      const last = Math.min(Math.trunc(centre + support + 0.5), side);
      const weights = Array.from({ length: last - first }, (_, k) => at((k + first - centre + 0.5) / wide));
      const sum = total(weights);
      return { first, weights: weights.map((weight) => weight / sum) };
    });
  }

  // Pillow's Image.resize: one pass across, one down; bytes are rounded in between, with weights of 22 binary places.
  function resized(picture, width, height, filter, box = [0, 0, picture.height, picture.width]) {
    const [top, left, bottom, right] = box;
    const isBytes = picture.values instanceof Uint8Array, one = 2 ** 22;
    const make = isBytes ? bytes : floats;
    const fixed = (list) => isBytes ? list.map((share) => ({ ...share, weights: share.weights.map((w) => Math.trunc(w * one + (w < 0 ? -0.5 : 0.5))) })) : list;
    const finish = isBytes ? (sum) => clip(Math.floor((sum + one / 2) / one), 0, 255) : (sum) => sum;
    const whole = (from, to, side, size) => size === side && from === 0 && to === side;
    let result = picture;
    if (!whole(left, right, picture.width, width)) {
      const across = fixed(shares(picture.width, left, right, width, FILTERS[filter]));
      const next = make(width, picture.height);
      for (let y = 0; y < picture.height; y++) {
        for (let x = 0; x < width; x++) {
          const { first, weights } = across[x];
          let sum = 0;
          for (let k = 0; k < weights.length; k++) sum += weights[k] * result.values[y * result.width + first + k];
          next.values[y * width + x] = finish(sum);
        }
      }
      result = next;
    }
    if (!whole(top, bottom, picture.height, height)) {
      const down = fixed(shares(picture.height, top, bottom, height, FILTERS[filter]));
      const next = make(width, height);
      for (let y = 0; y < height; y++) {
        const { first, weights } = down[y];
        for (let x = 0; x < width; x++) {
          let sum = 0;
          for (let k = 0; k < weights.length; k++) sum += weights[k] * result.values[(first + k) * width + x];
          next.values[y * width + x] = finish(sum);
        }
      }
      result = next;
    }
    return result;
  }

  // pictures/ink.py, where the paper is white: grey 0..255 -> ink.
  function inkOf(grey) {
    const counts = new Float64Array(256);
    for (const value of grey.values) counts[255 - value]++;
    const ramp = rampOf(counts, grey.values.length);
    return { ...grey, values: Float32Array.from(grey.values, (value) => ramp[255 - value]) };
  }

  function rampOf(counts, pixels) {
    let low = -1, middle = -1, sum = 0;
    counts.forEach((count, depth) => {
      sum += count;
      if (low < 0 && sum / pixels >= 0.1) low = depth;
      if (middle < 0 && sum / pixels >= 0.3) middle = depth;
    });
    const grain = (middle - low) / 0.75;
    const above = Array.from(counts, (_, depth) => Math.max(depth - middle, 0));
    const mass = total(above.map((value, depth) => value * counts[depth]));
    const typical = total(above.map((value, depth) => value * value * counts[depth])) / Math.max(mass, 1);
    if (typical < Math.max(LEAST_CONTRAST, GRAIN_TIMES * grain)) return new Float32Array(256);
    let deeper = 0, deepest = -1;
    above.forEach((value, depth) => {
      deeper += value * counts[depth];
      if (deepest < 0 && deeper >= 0.99 * mass) deepest = value;
    });
    const full = Math.min(deepest, typical * FULL_DEPTH);
    const floor = Math.min(3 * grain, 0.3 * typical) / full;
    return Float32Array.from(above, (value) => (value / full < floor ? 0 : Math.min(value / full, 1)));
  }

  // pictures/cleaning.py, where nothing touches the edge: specks and frames dropped.
  function cleaned(ink) {
    const { width, height, values } = ink;
    const mask = Uint8Array.from(values, (value) => (value >= Math.fround(INKED) ? 1 : 0));
    const gone = foreign(mask, values, width, height);
    return gone ? map(ink, (value, i) => (gone[i] ? 0 : value)) : ink;
  }

  // Connected pieces of ink, eight neighbours each: a number for each pixel, 0 for paper.
  function labelled(mask, width, height) {
    const labels = new Int32Array(mask.length);
    let pieces = 0;
    for (let start = 0; start < mask.length; start++) {
      if (!mask[start] || labels[start]) continue;
      labels[start] = ++pieces;
      const waiting = [start];
      while (waiting.length) {
        const at = waiting.pop(), x = at % width, y = (at - x) / width;
        for (let v = Math.max(y - 1, 0); v <= Math.min(y + 1, height - 1); v++) {
          for (let u = Math.max(x - 1, 0); u <= Math.min(x + 1, width - 1); u++) {
            const next = v * width + u;
            if (!mask[next] || labels[next]) continue;
            labels[next] = pieces;
            waiting.push(next);
          }
        }
      }
    }
    return { labels, pieces };
  }

  function foreign(mask, values, width, height) {
    const { labels, pieces } = labelled(mask, width, height);
    if (pieces <= 1) return null;
    const found = Array.from({ length: pieces + 1 }, (_, number) => ({ number, mass: 0, top: height, left: width, bottom: 0, right: 0 }));
    labels.forEach((number, i) => {
      if (!number) return;
      const piece = found[number], x = i % width, y = (i - x) / width;
      piece.mass += values[i];
      piece.top = Math.min(piece.top, y);
      piece.left = Math.min(piece.left, x);
      piece.bottom = Math.max(piece.bottom, y + 1);
      piece.right = Math.max(piece.right, x + 1);
    });
    const most = Math.max(...found.map((piece) => piece.mass));
    const large = found.slice(1).filter((piece) => piece.mass >= DUST_SHARE * most);
    large.forEach((piece) => Object.assign(piece, { height: piece.bottom - piece.top, width: piece.right - piece.left }));
    const kept = ofTheDigit(large, labels, width);
    if (kept.length === pieces) return null;
    const isKept = new Uint8Array(pieces + 1);
    isKept[0] = 1;
    kept.forEach(({ number }) => { isKept[number] = 1; });
    const gone = Uint8Array.from(labels, (number) => (isKept[number] ? 0 : 1));
    const wide = widened(gone, width, height);
    return wide.map((near, i) => (near && (gone[i] || !labels[i]) ? 1 : 0));
  }

  function widened(mask, width, height) {
    const wide = new Uint8Array(mask.length);
    mask.forEach((value, i) => {
      if (!value) return;
      const x = i % width, y = (i - x) / width;
      for (let v = Math.max(y - 1, 0); v <= Math.min(y + 1, height - 1); v++) {
        for (let u = Math.max(x - 1, 0); u <= Math.min(x + 1, width - 1); u++) wide[v * width + u] = 1;
      }
    });
    return wide;
  }

  function ofTheDigit(all, labels, width) {
    const pieces = all.filter((piece) => !isFrame(piece, all, labels, width));
    const largest = pieces.reduce((best, piece) => (piece.mass > best.mass ? piece : best));
    const size = Math.max(largest.height, largest.width);
    const kept = [largest];
    for (const piece of pieces) {
      if (piece === largest || piece.mass < SPECK_SHARE * largest.mass) continue;
      if (piece.mass < OTHERS_SHARE * largest.mass && gap(piece, largest) > NEAR * size) continue;
      if (!isUnderline(piece, largest)) kept.push(piece);
    }
    return kept;
  }

  function gap(one, other) {
    const down = Math.max(one.top - other.bottom, other.top - one.bottom, 0);
    return Math.hypot(down, Math.max(one.left - other.right, other.left - one.right, 0));
  }

  const isUnderline = (piece, largest) =>
    piece.top >= largest.bottom && piece.width >= Math.max(FLAT * piece.height, WIDE * largest.width);

  function isFrame(piece, pieces, labels, width) {
    const within = pieces.some((other) =>
      other.mass >= FRAMED_INK * piece.mass &&
      piece.top < other.top && other.bottom < piece.bottom &&
      piece.left < other.left && other.right < piece.right &&
      other.height >= FRAMED_SIDE * piece.height);
    if (!within) return false;
    const down = (y) => 2 * (y - piece.top) / Math.max(piece.height - 1, 1) - 1;
    const right = (x) => 2 * (x - piece.left) / Math.max(piece.width - 1, 1) - 1;
    let own = 0, inner = 0;
    const eighths = new Set();
    for (let y = piece.top; y < piece.bottom; y++) for (let x = piece.left; x < piece.right; x++) {
      if (labels[y * width + x] !== piece.number) continue;
      own++;
      inner += Math.hypot(down(y), right(x)) < 1 - 2 * FRAME_STRIP;
      eighths.add((Math.floor(4 / Math.PI * Math.atan2(down(y), right(x))) + 8) % 8);
    }
    return inner < FRAME_INSIDE * own && eighths.size >= DIRECTIONS_HELD;
  }

  // pictures/framing.py: the ink of one digit -> 28x28.

  function inked({ width, height, values }, least) {
    let top = height, left = width, bottom = 0, right = 0;
    for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) {
      if (values[y * width + x] >= least) {
        top = Math.min(top, y);
        bottom = Math.max(bottom, y + 1);
        left = Math.min(left, x);
        right = Math.max(right, x + 1);
      }
    }
    return bottom ? [top, left, bottom, right] : null;
  }

  const sides = ([top, left, bottom, right]) => [bottom - top, right - left];

  function frame(ink) {
    const box = inked(ink, 0.5);
    return box ? centred(shrunk(mended(enlarged(cut(ink, ...box))))) : bytes(SIDE, SIDE);
  }

  function enlarged(ink) {
    const scale = FINE_BOX / Math.max(ink.height, ink.width);
    const [height, width] = [ink.height, ink.width].map((side) => Math.max(1, round((side + 2) * scale)));
    const fine = bytes(width + 2 * ROOM, height + 2 * ROOM);
    const put = (inner) => {
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) fine.values[(y + ROOM) * fine.width + x + ROOM] = inner(y * width + x);
      }
      return fine;
    };
    if (scale > FINE) {
      const finer = resized(sharpened(ink), width, height, "bicubic").values;
      return put((i) => Math.trunc(Math.fround(255 * clip(finer[i], 0, 1))));
    }
    const source = bytes(ink.width + 2, ink.height + 2);
    for (let y = 0; y < ink.height; y++) for (let x = 0; x < ink.width; x++) {
      source.values[(y + 1) * source.width + x + 1] = Math.trunc(Math.fround(255 * ink.values[y * ink.width + x]));
    }
    const steep = toTenths(Math.min(FINE / scale, STEEPEST));
    const large = resized(source, width, height, scale > 1 ? "bicubic" : "box").values;
    const whole = Math.min(255, Math.max(scale < 1 ? typicalOf(large) : 255, 1) / FULL);
    const ramp = Array.from({ length: 256 }, (_, v) => Math.trunc(clip((v * (255 / whole) - 127.5) * steep + 127.5, 0, 255)));
    return put((i) => ramp[large[i]]);
  }

  function typicalOf(values) {
    const mass = total(values);
    return round(values.reduce((sum, value) => sum + value * value, 0) / Math.max(mass, 1));
  }

  function sharpened({ width, height, values }) {
    const at = (y, x) => (y >= 0 && x >= 0 && y < height && x < width ? values[y * width + x] : 0);
    const sharp = floats(width + 2, height + 2), f32 = Math.fround;
    for (let y = -1; y <= height; y++) for (let x = -1; x <= width; x++) {
      // Rounded where float32 is: an edge may lie on the very middle.
      const neighbours = f32(f32(f32(at(y - 1, x) + at(y + 1, x)) + at(y, x - 1)) + at(y, x + 1));
      const bend = f32(f32(SHARPENED) * f32(4 * at(y, x) - neighbours));
      sharp.values[(y + 1) * sharp.width + x + 1] = at(y, x) + bend;
    }
    return sharp;
  }

  function strokeWidth(fine) {
    const { width, height, values } = reduced(fine, 2);
    let outline = 0;
    for (let y = 0; y < height - 1; y++) for (let x = 0; x < width - 1; x++) {
      const i = y * width + x;
      outline += Math.hypot(values[i + width] - values[i], values[i + 1] - values[i]);
    }
    return (4 * total(values)) / Math.max(outline, 1);
  }

  function mended(fine) {
    const width = strokeWidth(fine) / FINE;
    const wanted = clip(width, ...USUAL_STROKES);
    const radius = (FINE * (wanted - width)) / (2 * (1 - wanted / BOX_PIXELS));
    return radius >= 0 ? grown(fine, Math.min(radius, ROOM)) : worn(fine, -radius);
  }

  function grown(fine, radius) {
    const steps = Math.trunc(radius), part = radius - steps;
    for (let step = 0; step < steps; step++) fine = further(fine, step);
    return part ? between(fine, further(fine, steps), part) : fine;
  }

  function worn(fine, radius) {
    const whole = fine, steps = Math.ceil(radius);
    let lost = map(fine, () => 0);
    for (let step = 0; step < steps; step++) {
      const thinner = map(further(map(fine, (v) => 255 - v), step), (v) => 255 - v);
      const opened = further(thinner, step).values, before = fine.values;
      lost = map(lost, (v, i) => Math.max(v, before[i] - Math.min(opened[i], before[i])));
      fine = between(fine, thinner, Math.min(radius - step, 1));
    }
    if (!steps) return fine;
    const kept = further(lost, 0).values;
    return map(fine, (v, i) => Math.max(v, Math.min(kept[i], whole.values[i])));
  }

  function between(one, other, share) {
    if (share >= 1) return other;
    const part = Math.fround(share);
    return map(one, (v, i) => Math.trunc(Math.fround(v + Math.fround((other.values[i] - v) * part))));
  }

  function further(fine, step) {
    const { width, height, values } = fine;
    const down = values.slice();
    for (let i = 0; i < values.length - width; i++) {
      down[i + width] = Math.max(down[i + width], values[i]);
      down[i] = Math.max(down[i], values[i + width]);
    }
    const across = step % 5 === 1 || step % 5 === 3 ? down.slice() : values;
    for (let y = 0; y < height; y++) for (let i = y * width; i < (y + 1) * width - 1; i++) {
      down[i + 1] = Math.max(down[i + 1], across[i]);
      down[i] = Math.max(down[i], across[i + 1]);
    }
    return { width, height, values: down };
  }

  function shrunk(fine) {
    const box = inked(fine, Math.max(Math.min(127, fine.values.reduce((most, value) => Math.max(most, value), 0)), 1));
    if (!box) return cut(fine, 0, 0, 1, 1);
    const [height, width] = sides(box), scale = BOX_PIXELS / Math.max(height, width);
    const size = [width, height].map((side) => Math.max(1, round(side * scale)));
    return resized(fine, ...size, "box", box);
  }

  function centred(digit) {
    const canvas = bytes(SIDE, SIDE);
    const [top, left] = [0, 1].map((axis) =>
      Math.min(Math.max(round(CENTRE - centreOf(digit, axis)), 0), SIDE - (axis ? digit.width : digit.height)));
    for (let y = 0; y < digit.height; y++) for (let x = 0; x < digit.width; x++) {
      canvas.values[(top + y) * SIDE + left + x] = digit.values[y * digit.width + x];
    }
    return canvas;
  }

  function centreOf({ width, values }, axis) {
    let moment = 0, mass = 0;
    values.forEach((value, i) => {
      moment += value * (axis ? i % width : Math.floor(i / width));
      mass += value;
    });
    return moment / Math.max(mass, 1);
  }

  // Grey, dark on white, of at most 256 x 256 -> 28 x 28, ink bright on 0.
  const canonical = (grey) => frame(cleaned(inkOf(grey)));

  return { canonical };
})();
