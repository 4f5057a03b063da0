// What the service said, shown and, once it stays the same for a moment, read out.

const QUIET_MS = 700;
const byId = (id) => document.getElementById(id);
// No model is as sure as 100 %, whatever is left when the rest is rounded away.
const percent = (share) => (share > 0.999 ? "> 99.9 %" : `${(100 * share).toFixed(1)} %`);

const rows = Array.from({ length: 10 }, (_, digit) => {
  const row = byId("bars").insertRow();
  row.innerHTML = `<th scope="row">${digit}</th><td><div class="bar"><div></div></div></td><td>0.0 %</td>`;
  return row;
});

let speaking = null;

// Read a text out, unless another one follows at once.
export function say(text, wait = 0) {
  clearTimeout(speaking);
  speaking = setTimeout(() => {
    byId("spoken").textContent = text;
  }, wait);
}

export function showMode(mode) {
  byId("one").hidden = mode !== "one";
  byId("several").hidden = mode !== "several";
}

export function showNothing() {
  write("Nothing drawn yet.");
  byId("digit").textContent = "";
  showProbabilities(Array(10).fill(0), null);
  showSeen(null, "nothing yet");
  byId("lines").replaceChildren();
  say("");
}

export function showReading() {
  byId("summary").textContent = "Reading …";
  byId("lines").classList.add("old");
}

export function showFailure(text) {
  write(text, "failed");
  byId("digit").textContent = "";
  showProbabilities(Array(10).fill(0), null);
  showSeen(null, "nothing");
  byId("lines").replaceChildren();
  say(text);
}

// answer: { digit: 0..9 or null, confidence, probabilities, seen }
export function showDigit(answer) {
  const best = answer.probabilities.indexOf(Math.max(...answer.probabilities));
  const is = answer.digit !== null;
  const text = is
    ? `${answer.digit}, ${percent(answer.confidence)} sure`
    : `Not a digit. The nearest would be ${best}, ${percent(answer.confidence)}.`;
  byId("digit").textContent = is ? answer.digit : "?";
  byId("digit").classList.toggle("not", !is);
  write(is ? `${percent(answer.confidence)} sure` : text);
  showProbabilities(answer.probabilities, best);
  showSeen(answer.seen, is ? `a picture of 28 by 28, told as ${answer.digit}` : "a picture of 28 by 28, not a digit");
  say(text, QUIET_MS);
}

// answer: { lines: [{ text, digits: [{ digit, confidence, box }] }] } -> the boxes, for the sheet
export function showLines({ width, height, lines }) {
  const count = lines.reduce((sum, line) => sum + line.digits.length, 0);
  const found = count ? `${plural(count, "digit")} in ${plural(lines.length, "line")}` : "No digits found.";
  write(found);
  byId("lines").replaceChildren(...lines.map(lineItem));
  byId("lines").classList.remove("old");
  const texts = lines.map((line) => line.digits.map(nameOf).join(" "));
  say(count ? `${found}: ${texts.join("; ")}` : found, QUIET_MS);
  const boxes = lines.flatMap((line) => line.digits.map((each) => ({ box: each.box, text: markOf(each) })));
  return { width, height, boxes };
}

function lineItem(line) {
  const item = document.createElement("li");
  const tiles = document.createElement("p");
  tiles.className = "line";
  tiles.append(...line.digits.map(tile));
  item.append(tiles);
  return item;
}

function tile(told) {
  const box = document.createElement("span");
  box.className = told.digit === null ? "tile not" : "tile";
  const digit = document.createElement("b");
  digit.textContent = markOf(told);
  const sure = document.createElement("small");
  sure.textContent = `${Math.floor(100 * told.confidence)} %`;
  box.append(digit, sure);
  return box;
}

const markOf = ({ digit }) => (digit === null ? "?" : String(digit));
const nameOf = ({ digit }) => (digit === null ? "not a digit" : String(digit));
const plural = (count, thing) => `${count} ${thing}${count === 1 ? "" : "s"}`;

function write(text, kind = "") {
  for (const place of [byId("sentence"), byId("summary")]) {
    place.textContent = text;
    place.className = `sentence ${kind}`;
  }
}

function showProbabilities(probabilities, best) {
  rows.forEach((row, digit) => {
    row.classList.toggle("best", digit === best);
    row.querySelector(".bar div").style.setProperty("--share", probabilities[digit]);
    row.cells[2].textContent = percent(probabilities[digit]);
  });
}

function showSeen(seen, text) {
  const canvas = byId("seen");
  const context = canvas.getContext("2d");
  const image = context.createImageData(28, 28);
  seen?.flat().forEach((value, i) => image.data.set([value, value, value, 255], 4 * i));
  context.putImageData(image, 0, 0);
  canvas.setAttribute("aria-label", `What the network saw: ${text}`);
}
